"""The material of the demo world: nobody should meet a broken sentence in the first half minute."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from microblog.accounts.names import check_name
from microblog.accounts.profiles import check_bio, check_display_name
from microblog.demo.calendar import calendar
from microblog.demo.people import DEMO, Person, cast, everyone
from microblog.demo.words import Words, replies, spoken
from microblog.kernel.clock import now
from microblog.kernel.i18n import LANGUAGES
from microblog.posts import text
from microblog.posts.actions import checked

NAMES = {person.name for person in everyone()}


@pytest.mark.parametrize("person", everyone(), ids=lambda person: person.name)
def test_each_person_could_have_registered_and_posted(person: Person) -> None:
    assert check_name(person.name) == person.name
    assert check_display_name(person.shown) == person.shown
    assert check_bio(person.bio) == person.bio
    assert person.language in LANGUAGES
    assert set(person.follows) <= NAMES - {person.name}
    assert len(set(person.posts)) == len(person.posts)
    for body in person.posts:
        assert checked(body, 500) == body
        assert {name.lower() for name in text.mentions(body)} <= NAMES


def test_everything_is_in_the_order_of_time_and_in_the_past() -> None:
    today = now()
    said = calendar(today, Random(3))
    assert len(said) > 300
    assert [one.at for one in said] == sorted(one.at for one in said)
    assert said[-1].at < today
    for one in said:
        assert one.author in NAMES
        assert one.answers is None or one.answers.at < one.at
        assert checked(one.body, 500) == one.body


def stock() -> list[str]:
    """Every sentence with choices, with its whole tree of choices still in it."""

    def leaves(found: Any) -> list[str]:
        if isinstance(found, str):
            return [found]
        return [
            leaf
            for each in (found.values() if isinstance(found, dict) else found)
            for leaf in leaves(each)
        ]

    return [*leaves(replies()), *(line for person in cast() for line in person.says)]


def test_every_choice_ends_in_a_plain_sentence() -> None:
    chance = Random(5)
    for line in stock():
        assert line.count("{") == line.count("}"), line
        for _ in range(20):
            said = spoken(line, chance).replace("{name}", "susan")
            assert not set("{}|") & set(said), said
            assert "  " not in said, said
            assert checked(said, 300) == said


def test_the_cast_does_not_repeat_itself_soon() -> None:
    chance = Random(7)
    words = Words(chance)
    said = [words.post(chance.choice(cast())) for _ in range(600)]
    assert len(set(said)) == len(said)


def test_the_cast_never_calls_the_demo_account_by_a_name_that_is_not_there() -> None:
    words = Words(Random(11))
    for language in LANGUAGES:
        for _ in range(30):
            assert "@susan" in words.call(language, "susan")
            assert f"@{DEMO}" not in words.call(language, "susan")
            assert "@susan" in words.welcome(language, "susan")
