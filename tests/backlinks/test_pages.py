"""What a page is taken to say, however it is written."""

from __future__ import annotations

import time

import pytest

from microblog.backlinks import pages

BASE = "https://social.example"
AT = "https://ada.example/about/"


async def names(page: str | bytes, base_url: str = BASE) -> list[str]:
    content = page if isinstance(page, bytes) else page.encode()
    links = await pages.links_of(content, AT)
    assert links is not None
    return pages.names_in(links, base_url)


@pytest.mark.parametrize(
    "page",
    [
        '<a rel="me" href="https://social.example/@ada">',
        "<A REL=ME HREF=https://social.example/@ada>x</A>",
        '<link rel="me" href="https://social.example/@ada"/>',
        '<area rel=me href="https://social.example/@ada">',
        '<a href="https://social.example/@ada" rel="nofollow  ME\tnoopener">',
        '<a rel="me" href="https://SOCIAL.example/@ada/">',
        '<a rel="me" href="http://social.example/@ada">',
        '<a rel="me" href="https://social.example:443/@ada?x=1#posts">',
        '<a rel="me" href=" https://social.example/%40ada ">',
        '<a rel="me" href="//social.example/@ada">',
        '<a rel="me" href="https&#58;//social.example/@ada">',
        '<base href="https://social.example/x/"><a rel="me" href="../@ada">',
        '<p><b><i></p><div <<<x><a rel="me" href="https://social.example/@ada">',
        '<a rel="me" rel="x" href="https://social.example/@ada" href="x">',
        "<script>'<textarea>'</script><a rel=me href=https://social.example/@ada>",
        "<title>a</title><textarea>b</textarea><a rel=me href=https://social.example/@ada>",
    ],
)
async def test_links_back(page: str) -> None:
    assert await names(page) == ["ada"]


@pytest.mark.parametrize(
    "page",
    [
        "", "<", "plain words about https://social.example/@ada",
        '<!-- <a rel="me" href="https://social.example/@ada"> -->',
        "<script>'<a rel=me href=https://social.example/@ada>'</script>",
        "<style><a rel=me href=https://social.example/@ada></style>",
        "<textarea><a rel=me href=https://social.example/@ada></textarea>",
        "<title><a rel=me href=https://social.example/@ada></title>",
        "<template><a rel=me href=https://social.example/@ada></template>",
        "<iframe><a rel=me href=https://social.example/@ada></iframe>",
        '<a rel="menu" href="https://social.example/@ada">',
        '<a rel="x" rel="me" href="https://social.example/@ada">',
        '<a title="me" href="https://social.example/@ada">',
        '<a rel="me" href="https://social.example.evil.example/@ada">',
        '<a rel="me" href="https://social.example:8443/@ada">',
        '<a rel="me" href="https://social.example@evil.example/@ada">',
        '<a rel="me" href="https://social.example/posts/@ada">',
        '<a rel="me" href="https://social.example/@ada/followers">',
        '<a rel="me" href="/@ada">', '<a rel="me" href="">', '<a rel="me">',
        '<a rel="me" href="javascript:social.example/@ada">',
        '<a rel="me" href="https://[social.example/@ada">',
        '<form rel="me" action="https://social.example/@ada">',
    ],
)  # fmt: skip
async def test_does_not(page: str) -> None:
    assert await names(page) == []


async def test_in_another_encoding() -> None:
    page = '<p>\u00f1 <a rel="me" href="https://social.example/@ada">'
    assert await names(page.encode("utf-16")) == ["ada"]
    assert await names(page.encode("latin-1")) == ["ada"]
    assert await names(b"\xff\xfe\x00") == []


async def test_a_host_in_other_letters_is_the_same() -> None:
    page = '<a rel="me" href="https://m\u00fcnchen.example/@ada">'
    assert await names(page, "https://xn--mnchen-3ya.example") == ["ada"]


async def test_of_very_many_links_some_are_taken() -> None:
    page = "".join(f'<a rel="me" href="{BASE}/@n{n}">' for n in range(5000))
    assert len(await names(page)) == 100


@pytest.mark.parametrize("part", ["<!a", "<a "])
async def test_a_page_written_to_hold_us_up_is_left(part: str) -> None:
    """CVE-2025-6069: a megabyte of this takes the parser minutes."""
    before = time.monotonic()
    await pages.links_of(part.encode() * (500_000 // len(part)), AT)
    assert time.monotonic() - before < 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a.example/x", "https://www.a.example/y", True),
        ("https://www.a.example", "https://a.example", True),
        ("https://a.example", "https://A.example.", True),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "https://x.a.example", False),
    ],
)
def test_which_sites_are_one(one: str, other: str, same: bool) -> None:
    assert pages.is_same_site(one, other) is same
