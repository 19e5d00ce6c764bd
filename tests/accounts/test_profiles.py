from __future__ import annotations

import pytest

from microblog.accounts.profiles import check_bio, check_display_name
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
    assert check_bio("x" * 300) == "x" * 300
    for too_long in ("x" * 301, "👨‍👩‍👧" * 300):
        with pytest.raises(Invalid):
            check_bio(too_long)
