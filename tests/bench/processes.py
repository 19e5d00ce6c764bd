"""What a process and its children have used, as the kernel counts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from tests.process import ROOT, free_port

PAGE = os.sysconf("SC_PAGE_SIZE")
PATIENCE = 30.0  # seconds to start


def family(pid: int) -> Iterator[int]:
    """The process and all that came from it: a server may work in children."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    """Of all threads of the family, to the nanosecond; threads that have ended are not counted."""
    spent = 0
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # just ended
                spent += int((task / "schedstat").read_text().split()[0])
    return spent / 1e9


def resident_kib(pid: int) -> float:
    """Of the family; pages that its members share are counted once for each of those."""
    pages = (int(Path(f"/proc/{p}/statm").read_text().split()[1]) for p in family(pid))
    return sum(pages) * PAGE / 1024


def proportional_kib(pid: int) -> float:
    """Of the family, a page that N processes share counting for an Nth in each."""
    return sum(
        int(line.split()[1])
        for member in family(pid)
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    )


@contextlib.asynccontextmanager
async def serving(
    command: Callable[[int], list[str]], log: Path, **environment: str
) -> AsyncIterator[tuple[int, int]]:
    """A server on a free port, of which `command` makes its arguments to Python; pid and port."""
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command(port), cwd=ROOT, stdout=output, stderr=output,
            env={**os.environ, **environment}, start_new_session=True,
        )  # fmt: skip
    try:
        await _answering(process, port, log)
        yield process.pid, port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: its children alone
        await process.wait()


async def _answering(process: Any, port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.03)
        else:
            writer.close()
            return
    raise SystemExit(f"A server for the bench did not start:\n{log.read_text()[-2000:]}")
