from __future__ import annotations

import pytest

from microblog.accounts.profiles import (
    check_bio,
    check_display_name,
    check_links,
    check_location,
    check_pronouns,
)  # fmt: skip
from microblog.kernel.errors import Invalid


@pytest.mark.parametrize(
    "name", ["", "Ada Lovelace", "Åsa ✨", "👩‍👩‍👧 family", "می‌خواهم", "x" * 50, "é" * 50, "क्षि"]
)
def test_these_names_can_be_shown(name: str) -> None:
    assert check_display_name(name) == name


def test_a_name_stands_on_one_line() -> None:
    assert check_display_name(" Ada\r\nBcc: x\t ") == "Ada Bcc: x"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 51, "\u200b", "ad\u200ba", "\u202eada", "\u2066x", "\u3164", "\u200d", "a\u00adb",
        "z" + "\u0335" * 20, "👩" + "\u200d👩" * 120,
    ],
)  # fmt: skip
def test_names_that_hide_something_or_are_too_long_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_display_name(name)
    assert list(refusal.value.errors) == ["display_name"]


def test_a_bio_keeps_its_lines_and_has_an_end() -> None:
    assert check_bio(" one\r\ntwo ") == "one\ntwo"
    assert check_bio("\u200b \u2060") == ""
    assert check_bio("x" * 500) == "x" * 500
    for too_long in ("x" * 501, "👨‍👩‍👧" * 500):
        with pytest.raises(Invalid):
            check_bio(too_long)


def test_pronouns_and_a_place_are_short_lines() -> None:
    assert check_pronouns(" she/her\n") == "she/her"
    assert check_location("Reykjavík 🌋") == "Reykjavík 🌋"
    assert check_location("\u3164") == ""
    for words in ("x" * 61, "a\u202eb", "👩" + "\u200d👩" * 120):
        for check in (check_pronouns, check_location):
            with pytest.raises(Invalid):
                check(words)


def test_links_have_an_address_on_the_web() -> None:
    found = check_links([("Site", "example.org/ada"), ("gone", " "), ("", "http://a.example:8080")])
    assert found == [["Site", "https://example.org/ada"], ["", "http://a.example:8080"]]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "javascript://x/%0aalert(1)", "data:text/html,x",
        "mailto:a@b.example", "https://good.example@evil.example", "https://", "ftp://a.example",
        "//a.example", "a b.example",
        'https://a.example/"><script>', "https://a.example\\@b.example", "https://a.example:99999",
        "https://exam\u200bple.org", "https://a.example/" + "x" * 500,
    ],
)  # fmt: skip
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_links([("", "https://a.example"), ("x" * 31, "a.example"), ("here", url)])
    assert list(refusal.value.errors) == ["link_label_2", "link_url_3"]
