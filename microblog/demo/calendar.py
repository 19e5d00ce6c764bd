"""When everything was said: the posts and conversations of the last weeks, in the order of time."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias

from microblog.demo.people import FOLDER, Person, everyone

_Thread: TypeAlias = dict[str, Any]  # ago: float, lines: list[str], days: list[float]

DAYS = 21
_LATEST = timedelta(minutes=7)  # ago; the newest post of the world


@dataclass(frozen=True, slots=True)
class Said:
    at: datetime
    author: str
    body: str
    was: str | None = None  # what it said before it was edited
    answers: Said | None = None


def calendar(today: datetime, chance: Random) -> list[Said]:
    """Everything, oldest first.  An answer always comes after what it answers."""
    alone = [said for person in everyone() for said in _posts(person, today, chance)]
    together = [said for thread in _threads() for said in _conversation(thread, today, chance)]
    return sorted([*alone, *together], key=lambda said: said.at)


def _posts(person: Person, today: datetime, chance: Random) -> Iterator[Said]:
    span = min(DAYS, person.joined)
    count = len(person.posts)
    days = (span * (count - nth - chance.random()) / count for nth in range(count))
    times = sorted(_waking(today - timedelta(days=ago), person, today, chance) for ago in days)
    for at, body in zip(times, person.posts, strict=True):
        yield Said(at, person.name, body, was=person.edits.get(body))


def _waking(at: datetime, person: Person, today: datetime, chance: Random) -> datetime:
    """The same day, at an hour at which the person is up."""
    start, end = person.hours
    hour = start + (end - start) * chance.random()
    moment = at.replace(hour=0, minute=0) + timedelta(hours=hour, seconds=chance.randrange(60))
    return moment if moment < today - _LATEST else moment - timedelta(days=1)


def _conversation(thread: _Thread, today: datetime, chance: Random) -> Iterator[Said]:
    first: Said | None = None
    last: Said | None = None
    for line, at in zip(thread["lines"], _times(thread, today, chance), strict=True):
        author, _, body = line.removeprefix("^ ").partition(": ")
        answers = first if line.startswith("^ ") else last
        last = Said(at, author, body, answers=answers)
        first = first or last
        yield last


def _times(thread: _Thread, today: datetime, chance: Random) -> Iterator[datetime]:
    """Minutes apart, unless the thread says itself how many days."""
    at = today - timedelta(days=float(thread["ago"]))
    if days := thread.get("days"):
        yield from (at + timedelta(days=float(day)) for day in days)
        return
    longest = min(timedelta(minutes=45), (today - _LATEST - at) / len(thread["lines"]))
    for _ in thread["lines"]:
        yield at
        at += longest * chance.uniform(0.1, 1.0)


def _threads() -> list[_Thread]:
    told = tomllib.loads((FOLDER / "threads.toml").read_text(encoding="utf-8"))
    threads: list[_Thread] = told["thread"]
    return threads
