"""The product as an operator runs it: a process, started, killed and started again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import secrets
import signal
import socket
import ssl
import sys
import time
from pathlib import Path

import httpx2

ROOT = Path(__file__).parent.parent
PORTS = range(20_000, 32_000)  # below net.ipv4.ip_local_port_range
TRUST = ssl.create_default_context()  # one for all clients: each of its own costs 30 ms
# Where nothing compiled is kept, each start would compile all modules again: a third of a second.
AS_INSTALLED = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}


def free_port() -> int:
    """One that stays free until it is bound, and between two starts: not of those that Linux gives
    to connections on their way out, nor drawn with the seed that runs side by side share."""
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def open_files(wanted: int) -> str:
    """Let this process and those it starts open so many; why not, if they may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        return f"needs {wanted:,} open files, and ulimit -Hn is {hard:,}"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return ""


class SiteProcess:
    """`microblog dev` or `serve` on a port and a data directory of its own."""

    def __init__(
        self, data_dir: Path, *, command: str = "serve", port: int | None = None,
        arguments: tuple[str, ...] = (), python: str = sys.executable,
        program: str = "microblog", **settings: str,
    ) -> None:  # fmt: skip
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir / "site.log"
        self._command = [python, "-m", program, command]
        if command in ("serve", "dev"):
            self._command += ["--bind", f"127.0.0.1:{self.port}"]
        self._command += arguments
        self._settings = {
            "MICROBLOG_DATA_DIR": str(data_dir),
            "MICROBLOG_LIMITS": "off",
            **{f"MICROBLOG_{name.upper()}": value for name, value in settings.items()},
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> SiteProcess:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MICROBLOG_")}
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._command, cwd=ROOT, stdout=log, stderr=log,
                env={**clean, **self._settings, **AS_INSTALLED},
            )  # fmt: skip
        return self

    async def ready(self, within: float = 60.0) -> SiteProcess:
        """Wait until it says it is healthy."""
        assert self.process is not None
        deadline = time.monotonic() + within
        async with httpx2.AsyncClient(verify=TRUST) as http:
            while time.monotonic() < deadline:
                if self.process.returncode is not None:
                    raise AssertionError(f"it ended:\n{self.said()}")
                try:
                    answer = await http.get(f"{self.url}/healthz")
                    if answer.status_code == 200:
                        return self
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.03)
        raise AssertionError(f"not ready after {within} s:\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    async def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """As an operator would; the exit status."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 30)

    async def __aenter__(self) -> SiteProcess:
        await self.start()
        return await self.ready()

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    def rss_mib(self) -> float:
        """Resident memory of the process."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
