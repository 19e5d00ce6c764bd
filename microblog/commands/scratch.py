"""A folder for what is not finished yet."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = ".microblog-"
_YOUNG = 60.0  # seconds; its process may not have locked it yet


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """For its owner only, on the disk of `beside`; gone when the block ends, unless it ends in a
    fork.  One whose process and forks were killed goes when the next is made."""
    for left in beside.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another's, or gone meanwhile
            _sweep(left)
    folder, owner = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=beside)), os.getpid()
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _sweep(folder: Path) -> None:
    if not folder.is_dir() or time.time() - folder.stat().st_mtime < _YOUNG:
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # at work
    finally:
        os.close(handle)
