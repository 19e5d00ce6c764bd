from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from microblog.posts.differences import changes, segments
from microblog.posts.queries import Version

PAIRS = [
    ("", ""),
    ("same", "same"),
    ("", "new"),
    ("old", ""),
    ("one two three", "one three four"),
    ("hello world", "hello worlds"),
    ("日本語の文", "日本人の文"),
    ("👩‍💻 works", "👨‍💻 works"),
    ("line\nbreak", "line\n\nbreak"),
    ("a b " * 300, "b a " * 300),
]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_both_texts_can_be_read_from_the_difference(old: str, new: str) -> None:
    found = segments(old, new)
    assert "".join(text for kind, text in found if kind != "added") == old
    assert "".join(text for kind, text in found if kind != "removed") == new


def test_a_changed_word_is_marked_whole() -> None:
    assert segments("hello world", "hello worlds") == [
        ("same", "hello "), ("removed", "world"), ("added", "worlds"),
    ]  # fmt: skip


def test_an_emoji_is_never_cut_open() -> None:
    assert ("removed", "👩‍💻") in segments("👩‍💻 works", "👨‍💻 works")


def test_long_texts_are_shown_as_replaced_without_comparing() -> None:
    started = time.process_time()
    assert [kind for kind, _ in segments("a b " * 4000, "b a " * 4000)] == ["removed", "added"]
    assert time.process_time() - started < 1


def test_each_version_is_compared_with_the_one_before_and_the_first_is_whole() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    told = changes([Version(2, at, "b"), Version(1, at, "a")])
    assert told == [
        {"version": 2, "at": at, "segments": [("removed", "a"), ("added", "b")]},
        {"version": 1, "at": at, "segments": [("same", "a")]},
    ]
