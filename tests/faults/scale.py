"""How much is tried: the long run, which takes as long as it is given, or a short one that shows
in seconds that everything holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

Size = TypeVar("Size")


@dataclass(frozen=True)
class Scale:
    seconds: float  # about how long this fault may take, on this database
    is_short: bool = False
    full: float = 1.0  # how long what SECURITY asks for takes on two cores

    @property
    def share(self) -> float:
        """Of the full size, at most 1."""
        return min(1.0, self.seconds / self.full)

    def of(self, long: Size, short: Size) -> Size:
        return short if self.is_short else long

    def rounds(self, most: int, least: int = 1) -> Iterator[int]:
        """Numbers of rounds, as many as fit into the time: at least `least`, at most `most`."""
        began = time.monotonic()
        for number in range(most):
            taken = time.monotonic() - began
            if number >= least and taken * (number + 1) / number > self.seconds:
                return
            yield number
