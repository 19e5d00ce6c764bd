"""A clock that can be set, for the processes that run under it (Debian's libfaketime).

Their time of day jumps, and the monotonic clock is left alone, as with a clock that is set.
"""

from __future__ import annotations

import sys
from pathlib import Path

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOUR = 3600


class Clock:
    """What those take for the time whose `python` is this."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)
        self.python = folder / "python"
        self.python.write_text(
            f"#!/bin/sh\nexport LD_PRELOAD={LIBRARY} FAKETIME_TIMESTAMP_FILE={self._file}"
            " FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1\n"
            f'exec {sys.executable} "$@"\n'
        )
        self.python.chmod(0o755)

    def set(self, seconds: int) -> None:
        """So many seconds off the real time."""
        written = self._file.with_suffix(".new")
        written.write_text(f"{seconds:+d}\n")
        written.rename(self._file)


def missing() -> str:
    """Why no clock can jump here; empty if one can."""
    return "" if LIBRARY.exists() else f"libfaketime is not installed ({LIBRARY})"
