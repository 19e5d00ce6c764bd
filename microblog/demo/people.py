"""Who lives here, read from people/*.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
DEMO = "demo"  # the account of whoever is looking around
DEMO_PASSWORD = "demo demo demo"  # noqa: S105 - printed at start, so that anyone can sign in


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    shown: str
    bio: str
    joined: int  # days ago
    hours: tuple[int, int]  # from when to when they are up
    follows: tuple[str, ...]
    posts: tuple[str, ...]  # oldest first
    edits: dict[str, str]  # what a post says now, and what it said first
    says: tuple[str, ...]
    language: str


@cache
def everyone() -> tuple[Person, ...]:
    return tuple(_read(path) for path in sorted((FOLDER / "people").glob("*.toml")))


def cast() -> tuple[Person, ...]:
    """Everyone but the account of the person who is looking."""
    return tuple(person for person in everyone() if person.name != DEMO)


def _read(path: Path) -> Person:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    edits = {edit["now"]: edit["was"] for edit in told.get("edits", [])}
    start, end = told["hours"]
    return Person(
        name=path.stem,
        shown=told["shown"],
        bio=told["bio"],
        joined=told["joined"],
        hours=(start, end),
        follows=tuple(told["follows"]),
        posts=(*told["posts"], *edits),
        edits=edits,
        says=tuple(told["says"]),
        language=told.get("language", "en"),
    )
