"""Starts `program.py` under any Python at hand, and listens to what it says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from signal import SIGTERM

ROOT = Path(__file__).parents[2]
# Quart and Hypercorn are pure Python, so another Python can use our installation of them.
PATHS = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"  # of a path
VERSIONS = ("3.14", "3.13", "3.12", "3.11")


@lru_cache
def another_python() -> str | None:
    """The newest Python beside ours that can serve."""
    for version in VERSIONS:
        places = [shutil.which(f"python{version}")]
        places += map(str, Path.home().glob(f".pyenv/versions/*/bin/python{version}"))
        for place in places:
            if place and version != sysconfig.get_python_version() and _can_serve(place):
                return place
    return None


def _can_serve(python: str) -> bool:
    ask = [python, "-c", "import quart, hypercorn, asyncio; asyncio.TaskGroup"]
    return not subprocess.run(ask, env=PATHS, capture_output=True, check=False).returncode


class Running:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self.port = 0
        self.signalled = time.monotonic()

    async def says(self, line: str, times: int = 1) -> None:
        """Wait for it to say so."""
        async with asyncio.timeout(30):
            while self.said.count(line) < times:
                await self._hear()

    async def says_of_worker(self, number: int, *, other_than: int) -> None:
        """Wait for another process to be that worker."""
        async with asyncio.timeout(30):
            while self.workers().get(number, other_than) == other_than:
                await self._hear()

    def workers(self) -> dict[int, int]:
        """The process that is each worker now, as far as they have told."""
        lines = [line.split() for line in self.said if line.startswith("worker ")]
        return {int(number): int(pid) for _, number, _, pid in lines}

    async def _hear(self) -> None:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, f"it ended after {self.said}: {await self.complaints()}"
        self.said.append(line.decode().strip())
        if line.startswith(b"http://127.0.0.1:"):
            self.port = int(line.rsplit(b":", 1)[1])

    async def ready(self) -> None:
        async with asyncio.timeout(30):
            while not self.port:
                await self._hear()

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.signalled = time.monotonic()
        self.process.send_signal(number)

    def signal_group(self, number: int = SIGTERM) -> None:
        self.signalled = time.monotonic()
        os.killpg(self.process.pid, number)

    async def ends(self, within: float) -> tuple[int, str]:
        """Its return code and what it complained of; it must end in time, from the signal on."""
        async with asyncio.timeout(self.signalled + within - time.monotonic()):
            assert self.process.stdout is not None
            rest = await self.process.stdout.read()
            complaints = await self.complaints()
            code = await self.process.wait()
        self.said += rest.decode().split("\n")[:-1]
        self.took = time.monotonic() - self.signalled
        return code, complaints

    async def complaints(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()

    def resident(self) -> int:
        """Bytes of memory in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


@asynccontextmanager
async def running(
    app: str, config: Path, *, bind: str = "127.0.0.1:0", python: str = sys.executable
) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        python,
        str(Path(__file__).with_name("program.py")),
        app,
        str(config),
        *([bind] if bind else []),
        env=PATHS,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Running(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and any that it left behind
        await process.wait()
