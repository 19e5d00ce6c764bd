from __future__ import annotations

import pytest

from microblog.web.redirects import safe_path


@pytest.mark.parametrize(
    "path",
    ["/", "/explore", "/@ada/123", "/posts/new?body=a%20b&x=//y", "/a#b", "/a//b"],
)
def test_paths_of_this_site_are_kept(path: str) -> None:
    assert safe_path(path) == path


def test_letters_beyond_ascii_are_encoded_for_the_header() -> None:
    assert safe_path("/tags/añil€?x=%41") == "/tags/a%C3%B1il%E2%82%AC?x=%41"
    assert safe_path("/\ud800") == "/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "", "explore", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
        "/\n/evil.example", "\t//evil.example", " //evil.example", "https://evil.example",
        "javascript:alert(1)", "///evil.example", "/a\\b", "/a b", "/\x00", "/a\r\nSet-Cookie: x",
        "http:/evil.example", "@evil.example", "/a\x85b", "/" + "a" * 5000, "//user@evil.example/",
        "/\x7f", "/\u2028/evil.example", "?next=/", "http:///evil.example",
    ],
)  # fmt: skip
def test_everything_else_leads_home(elsewhere: str) -> None:
    assert safe_path(elsewhere) == "/"
