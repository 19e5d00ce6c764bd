from __future__ import annotations

import pytest

from microblog.accounts.names import check_name
from microblog.kernel.errors import Invalid


@pytest.mark.parametrize("name", ["ada", "Ada_Lovelace", "a", "_x_", "42", "a" * 30])
def test_these_names_are_taken_as_typed(name: str) -> None:
    assert check_name(name) == name


def test_an_at_sign_and_blank_edges_do_not_belong_to_the_name() -> None:
    assert check_name("  @ada \n") == "ada"


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "@", "a" * 31, "ada lovelace", "ada-l", "ada.l", "añil", "\u0430da", "ad\u200ba",
        "\uff11\uff12", "a@b", "ªb", "a/b", "<b>", "@@ada",
    ],
)  # fmt: skip
def test_these_names_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_name(name)
    assert list(refusal.value.errors) == ["username"]


@pytest.mark.parametrize("name", ["admin", "Settings", "EXPLORE", "microblog", "___", "postmaster"])
def test_names_that_speak_for_the_site_are_kept(name: str) -> None:
    with pytest.raises(Invalid):
        check_name(name)
