"""How much is measured: the full run, or a short one that only shows that everything works."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Size = TypeVar("Size")


@dataclass(frozen=True)
class Plan:
    folder: Path  # everything is written below it, and deleted at the end
    quick: bool = False

    def of(self, full: Size, quick: Size) -> Size:
        return quick if self.quick else full

    def room(self, name: str) -> Path:
        """A new folder."""
        made = self.folder / name
        made.mkdir(parents=True)
        return made

    def say(self, words: str) -> None:
        """Progress, where it does not get into the table."""
        print(f"  … {words}", file=sys.stderr, flush=True)
