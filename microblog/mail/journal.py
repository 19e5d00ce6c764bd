"""What a server has taken and the database does not know yet, noted where a kill -9 leaves it.

A commit takes milliseconds, and what is settled together waits for it.  A line in a file takes
microseconds and outlives the process (not a power cut), so a killed process costs no duplicates.
Whoever comes next on this machine finds the file unlocked, settles what it says, and need not wait
for the dead one's leases to end.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

SUFFIX = ".sent"


class Journal:
    """One file a process, locked while it lives.  `folder` None: nothing is noted."""

    def __init__(self, folder: Path | None, owner: str) -> None:
        self._folder = folder
        self._owner = owner
        self._file: int | None = None

    @property
    def is_kept(self) -> bool:
        return self._file is not None

    def note(self, email_id: int, fence: int) -> None:
        try:
            self._open()
            if self._file is not None:
                os.write(self._file, f"{email_id} {fence}\n".encode())
        except OSError as error:  # a full disk: the window is a commit wide again
            log.warning("what was sent cannot be noted in %s: %s", self._folder, error.strerror)

    def clear(self) -> None:
        """The database knows everything."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)

    def close(self) -> None:
        if self._file is not None:
            self._path.unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def left_behind(self) -> Iterator[tuple[str, list[tuple[int, int]]]]:
        """Each dead owner and what it noted (id, fence).  Its file goes once that is used."""
        for path in self._others():
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                if _lock(file.fileno()):
                    yield path.stem, list(_notes(file.read()))
                    path.unlink()

    def open(self) -> None:
        """Be alive in the eyes of others."""
        try:
            self._open()
        except OSError as error:
            log.warning("cannot write in %s: %s", self._folder, error.strerror)

    @property
    def _path(self) -> Path:
        return (self._folder or Path()) / f"{self._owner}{SUFFIX}"

    def _open(self) -> None:
        if self._folder is None or self._file is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        # Locked under another name first: a file that others can see is never free while we live.
        hidden = self._path.with_suffix(".new")
        file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            hidden.rename(self._path)
        except OSError:  # it is tried again with the next note, which would wait for this lock
            os.close(file)
            raise
        self._file = file

    def _others(self) -> list[Path]:
        if self._folder is None or not self._folder.is_dir():
            return []
        return [path for path in self._folder.glob(f"*{SUFFIX}") if path.stem != self._owner]


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _notes(written: bytes) -> Iterator[tuple[int, int]]:
    for line in written.splitlines():
        email_id, _, fence = line.partition(b" ")
        if email_id.isdigit() and fence.isdigit():
            yield int(email_id), int(fence)
