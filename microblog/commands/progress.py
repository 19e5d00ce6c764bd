"""How far a long command is, on a terminal; nothing where nobody watches."""

from __future__ import annotations

import sys
import time
from typing import Protocol

WIDTH = 30
OFTEN = 0.1  # seconds between two drawings


class Screen(Protocol):
    def isatty(self) -> bool: ...
    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


class Bar:
    """One line that is drawn over; called with what it is about, how much is done, of how much."""

    def __init__(self, screen: Screen | None = None) -> None:
        self._screen = screen or sys.stderr
        self._shown = self._screen.isatty()
        self._drawn = 0.0

    def __call__(self, about: str, done: int, total: int) -> None:
        moment = time.monotonic()
        if not self._shown or moment - self._drawn < OFTEN:
            return
        self._drawn = moment
        full = WIDTH * done // total if total else WIDTH
        bar = "█" * full + "░" * (WIDTH - full)
        self._draw(f"{about:<20} {bar} {done:>12,} of {total:,}")

    def end(self) -> None:
        if self._shown:
            self._draw("")

    def _draw(self, line: str) -> None:
        self._screen.write(f"\r\x1b[K{line}")
        self._screen.flush()
