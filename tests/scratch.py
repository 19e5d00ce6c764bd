"""Folders in the system's temporary directory, for what pytest's own is too deep or too private:
sockets of PostgreSQL, disks to be mounted, what runs as another user."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

YOUNG = 60.0  # seconds; its process may not have locked it yet


@contextmanager
def scratch(kind: str, system: Path | None = None) -> Iterator[Path]:
    """Gone when the block ends; those of runs that were killed go first, with their servers."""
    system = system or Path(tempfile.gettempdir())
    for left in system.glob(f"microblog-test-{kind}-*"):
        with suppress(OSError):  # another's, or gone meanwhile
            _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix=f"microblog-test-{kind}-", dir=system))
    held = os.open(folder, os.O_RDONLY)  # not inherited by what is started here
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _sweep(folder: Path) -> None:
    if time.time() - folder.stat().st_mtime < YOUNG:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while its run lasts
        for pid_file in folder.rglob("postmaster.pid"):
            _end_server(pid_file)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _end_server(pid_file: Path) -> None:
    """Only if that process still works in this folder: numbers of processes are used again."""
    pid = int(pid_file.read_text().split()[0])
    with suppress(OSError):
        if Path(f"/proc/{pid}/cwd").resolve() == pid_file.parent.resolve():
            os.kill(pid, signal.SIGQUIT)
