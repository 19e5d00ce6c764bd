"""What the cast says: sentences with choices in them, and no sentence twice soon."""

from __future__ import annotations

import re
import tomllib
from collections import deque
from collections.abc import Iterable, Sequence
from functools import cache
from random import Random
from typing import Any

from microblog.demo.people import DEMO, FOLDER, Person

_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_REMEMBERED = 2000
_TRIES = 30


class Words:
    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._said: deque[str] = deque(maxlen=_REMEMBERED)

    def post(self, person: Person) -> str:
        return self._new(person.says)

    def answer(self, language: str, tags: Iterable[str]) -> str:
        """For a post in that language; about its tags, if there is something to say about them."""
        stock = replies()[language]
        fitting = [line for tag in tags for line in stock.get(tag, ())]
        return self._new(fitting if fitting and self._chance.random() < 0.6 else stock["any"])

    def welcome(self, language: str, name: str) -> str:
        """For a post of somebody new here."""
        return self._new(replies()[language]["newcomer"]).replace("{name}", name)

    def call(self, language: str, name: str) -> str:
        """Speaks to somebody new out of the blue."""
        return self._new(replies()["calls"][language]).replace(f"@{DEMO}", f"@{name}")

    def afterthought(self, language: str) -> str:
        return self.chosen(replies()["edits"][language])

    def chosen(self, stock: Sequence[str]) -> str:
        return spoken(self._chance.choice(stock), self._chance)

    def _new(self, stock: Sequence[str]) -> str:
        """Something not said lately, if the stock has that much to say."""
        text = self.chosen(stock)
        for _ in range(_TRIES):
            if text not in self._said:
                break
            text = self.chosen(stock)
        self._said.append(text)
        return text


def spoken(written: str, chance: Random) -> str:
    """`{one|another}` settled, from the inside out."""
    while found := _CHOICE.search(written):
        choice = chance.choice(found[1].split("|"))
        written = written[: found.start()] + choice + written[found.end() :]
    return written


@cache
def replies() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "replies.toml").read_text(encoding="utf-8"))
