"""A post as X and Facebook get it."""

from __future__ import annotations

import time

import pytest

from microblog.crossposts import texts

LINK = "https://here.example/@ada/7"


def tweet(body: str, **known: str) -> str:
    return texts.for_place("x", body, known, LINK)


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        ("a" * 10, 10),
        ("ñandú", 5),
        ("日本語", 6),
        ("“quoted”", 8),
        ("…", 2),
        ("👩‍👩‍👧‍👦", 2),
        ("🇪🇸🇯🇵", 4),
        ("1️⃣", 2),
        ("https://example.org/" + "a" * 200, 23),
        ("http://localhost:8000/a", 23),  # no link over there, and as long by chance
        ("see example.org now", 4 + 23 + 4),
        ("etc. And so on", 14),
    ],
)
def test_it_is_weighed_as_x_does(body: str, weight: int) -> None:
    assert texts.weigh(body) == weight


def test_what_fits_is_whole_and_has_the_link() -> None:
    assert tweet("a" * 255) == "a" * 255 + f"\n\n{LINK}"
    assert texts.weigh(tweet("a" * 255)) == 280


@pytest.mark.parametrize("letter", ["a", "日", "👩‍👩‍👧‍👦", "a ", "x.yz ", "\u0301e"])
def test_what_does_not_is_cut_and_never_too_long(letter: str) -> None:
    for times in (250, 256, 400):
        cut = tweet(letter * times)
        assert texts.weigh(cut) <= 280
        assert cut.endswith(f"\n\n{LINK}")
    assert "…" in tweet(letter * 400)


def test_words_and_links_are_not_cut_through() -> None:
    body = "word " * 50 + "https://example.org/a"
    assert tweet(body).startswith("word " * 49 + "word…\n\n")
    assert "👩‍👩‍👧‍👦…" in tweet("👩‍👩‍👧‍👦" * 400)


def test_facebook_gets_all_of_it() -> None:
    assert texts.for_place("facebook", "日" * 500, {}, LINK) == "日" * 500 + f"\n\n{LINK}"


def test_people_of_this_site_are_nobody_elses_namesakes() -> None:
    assert tweet("@Ada and @nasa", ada="@ada@here.example").startswith(
        "@ada@here.example and @nasa\n"
    )


@pytest.mark.parametrize("body", ["a" * 16_000, "a." * 8_000, "🇪" * 4_000, "a.b/" * 4_000])
def test_no_text_takes_long(body: str) -> None:
    began = time.process_time()
    tweet(body)
    assert time.process_time() - began < 2.0
