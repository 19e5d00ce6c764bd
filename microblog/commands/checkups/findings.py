from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "look", "broken"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    about: str
    says: str
    do: str = ""


def many(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def fine(about: str, says: str) -> Finding:
    return Finding("ok", about, says)


def look(about: str, says: str, do: str) -> Finding:
    """It works, and somebody should know."""
    return Finding("look", about, says, do)


def broken(about: str, says: str, do: str) -> Finding:
    return Finding("broken", about, says, do)
