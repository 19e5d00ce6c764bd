from __future__ import annotations

import pytest

from microblog.accounts.addresses import check_email
from microblog.kernel.errors import Invalid


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("ada@example.org", "ada@example.org"),
        (" Ada.L+news@Example.ORG ", "Ada.L+news@example.org"),
        ("o'neil@sub.example.co.uk", "o'neil@sub.example.co.uk"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
    ],
)
def test_these_addresses_are_taken(written: str, address: str) -> None:
    assert check_email(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "", "@", "ada", "ada@", "@example.org", "ada@localhost", "a b@example.org",
        "ada@exa mple.org", "alice@example.org)bob@evil.example",
        "alice@example.org,bob@evil.example", "a@b@example.org",
        "ada@example.org\nbcc:bob@evil.example", "ada@example.org\r", "\"ada\"@example.org",
        "ada%evil.example@example.org", "ada;b@example.org", "<ada@example.org>",
        "ada:x@example.org", "a\\b@example.org", "ada@[127.0.0.1]", "ada@127.0.0.1",
        "ada@example..org", ".ada@example.org", "ada.@example.org", "a..b@example.org",
        "ada@-example.org", "ada@example-.org", "äda@example.org", "x" * 65 + "@example.org",
        "ada@" + "x" * 64 + ".org", "ada@" + "x." * 126 + "org", "ada@exam\u200bple.org\u0000",
        "a\u0000@example.org", "ada@.", "ada@" + "é" * 300 + ".org",
    ],
)  # fmt: skip
def test_these_addresses_are_refused(written: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_email(written)
    assert list(refusal.value.errors) == ["email"]


def test_a_very_long_address_is_refused_in_linear_time() -> None:
    with pytest.raises(Invalid):
        check_email("a." * 500_000 + "@" + "b." * 500_000)
