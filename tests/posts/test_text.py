# ruff: noqa: RUF001 - letters that look alike are the subject
from __future__ import annotations

import re
import time

import pytest
from markupsafe import Markup

from microblog.posts import text
from microblog.posts.text import Token


def links(body: str) -> list[str]:
    return [token.value for token in text.parse(body) if token.kind == "link"]


NAMES = ["ada", "bob", "eve", "dan", "joe", "amy", "sue"]
CORPUS = [
    "",
    " ",
    "plain words",
    "hi @ada, see https://example.com/a_(b)) and (http://x.org/?q=1). #Tag",
    "日本語https://example.com/ですが。次 さん@ada漢 #タグ、次",
    "👩‍💻 family 👨‍👩‍👧‍👦 flags 🇨🇺🇪🇸 skin 👍🏽 #👩‍💻 @👩‍💻",
    "مرحبا @ada https://example.com/مسار #وسم עברית",
    "e\u0301 a\u0308\u0323 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "\u202eevil\u202c \u2066isolate\u2069 https://e\u202ex.com/",
    "mail ada.b+c@example.com or иван@example.com or a@b",
    "@ada@example.org @ada's .@ada (@ada) x@ada @ada_ @adaé https://a.b/@ada",
    "C#foo &#39; #1 #2026 #2026年 ##double #_ #a·b· #\u200d #می‌خواهم",
    "http:// https:/// http://. http://[::1]/ http://a..b javascript:alert(1) ftp://a.b",
    "https://user:pass@example.com/ https://google.com@evil.example/",
    "https://xn--80ak6aa92e.com/ https://пример.рф/путь https://gооgle.com",
    '<script>alert(1)</script> & "quotes" \'and\' https://a.b/?x=<y>&z="w"',
    "line\nbreaks\n\n\nhttps://a.b\n#tag\n@ada\n",
    "“https://example.com/a” «https://example.com/b» https://example.com/c…",
    "\x00\x01\ud7ff\ue000\ufffe\U0010ffff",
    "a" * 600,
]


@pytest.mark.parametrize("body", CORPUS)
def test_the_pieces_of_a_text_are_the_text(body: str) -> None:
    assert "".join(token.text for token in text.parse(body)) == body


@pytest.mark.parametrize("body", CORPUS)
def test_html_says_what_was_typed_and_nothing_of_it_is_markup(body: str) -> None:
    drawn = text.html(body, {"ada": "Ada"})
    assert isinstance(drawn, Markup)
    elements = re.findall(r"<[^>]*>", drawn)
    assert all(element == "</a>" or element.startswith("<a ") for element in elements)
    without_links = re.sub(r"<a [^>]*href=\"http.*?</a>", "", drawn)
    words = Markup(re.sub(r"<[^>]*>", "", without_links)).unescape()
    assert words == "".join(t.text for t in text.parse(body) if t.kind != "link")


@pytest.mark.parametrize(
    ("body", "length"),
    [
        ("", 0),
        ("hello", 5),
        ("👩‍💻", 1),
        ("👨‍👩‍👧‍👦🇨🇺👍🏽", 3),
        ("e\u0301", 1),
        ("नमस्ते", 3),
        ("https://example.com/", 23),
        ("https://example.com/" + "x" * 300, 23),
        ("see https://a.b.", 4 + 23 + 1),
        ("(https://a.b/c)", 25),
        ("example.com", 11),
        ("a\nb", 3),
        ("https://google.com@evil.example/", 32),
        ("https://a.b/" + "x" * text.LONGEST_LINK, 12 + text.LONGEST_LINK),
    ],
)
def test_people_count_characters_and_a_link_counts_23(body: str, length: int) -> None:
    assert text.count(body) == length


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("https://example.com", ["https://example.com"]),
        ("HTTPS://EXAMPLE.COM/x", ["HTTPS://EXAMPLE.COM/x"]),
        ("see https://a.b/c, and", ["https://a.b/c"]),
        ("(https://a.b/c_(d))", ["https://a.b/c_(d)"]),
        ("https://a.b/c?d=e&f=g#h!", ["https://a.b/c?d=e&f=g#h"]),
        ("“https://a.b/c”", ["https://a.b/c"]),
        ("「https://a.b/c」です", ["https://a.b/c"]),
        ("これhttps://a.b/c。", ["https://a.b/c"]),
        ("https://日本語.jp/パス", ["https://日本語.jp/パス"]),
        ("http://localhost:8000/x", ["http://localhost:8000/x"]),
        ("https://a.b https://c.d", ["https://a.b", "https://c.d"]),
        ("xhttps://a.b _http://a.b", []),
        ("example.com www.example.com //a.b", []),
        ("javascript:alert(1) data:text/html,x ftp://a.b mailto:a@b.c", []),
        ("http:// https:///x http://?", []),
        ("https://user@a.b/ https://u:p@a.b/", []),
        ("https://evil.c℀.example.com/x", []),
        ("https://a\u202eb.com/ https://a\u00adb.com/", []),
        ("https://a.b:99999/", []),
    ],
)
def test_links_are_found_as_people_mean_them(body: str, found: list[str]) -> None:
    assert links(body) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("@ada", ["ada"]),
        ("@Ada @ada @bob", ["Ada", "ada", "bob"]),
        ("hi @ada, (@bob) “@eve” .@dan @joe's @amy: @sue!", NAMES),
        ("さん@ada漢字", ["ada"]),
        ("@ada님", ["ada"]),
        ("a@ada.example ada@bob x.y+z@bob", []),
        ("иван@example.com", []),
        ("@ada@example.org", []),
        ("@adaé @ada漢 é@ada", ["ada"]),
        ("medium.com/@ada https://example.com/@ada", []),
        ("@" + "a" * 31, []),
        ("@@ada", []),
        ("@", []),
    ],
)
def test_mentions_are_names_of_this_site(body: str, found: list[str]) -> None:
    assert text.mentions(body) == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("#tag", ["tag"]),
        ("#Tag #TAG", ["tag"]),
        ("#Straße #STRASSE", ["strasse"]),
        ("#ｆｕｌｌ #full", ["full"]),
        ("#été #e\u0301te\u0301", ["été"]),
        ("#日本語タグ。", ["日本語タグ"]),
        ("#2026年 #v2 #a_b", ["2026年", "v2", "a_b"]),
        ("#1 #2026 #_ # ## #!", []),
        ("C#foo &#39; a/#b ##x", []),
        ("(#a) #b, #c. #d!", ["a", "b", "c", "d"]),
        ("#می‌خواهم", ["میخواهم"]),
        ("#" + "a" * 101, []),
        ("#" + "a" * 100, ["a" * 100]),
        ("#" + "ﬃ" * 40, []),
        ("#a·", ["a"]),
        ("https://a.b/#c", []),
    ],
)
def test_tags_have_one_key_however_they_are_written(body: str, found: list[str]) -> None:
    assert text.tags(body) == found


@pytest.mark.parametrize("tag", ["tag", "été", "日本語タグ", "strasse", "2026年", "a" * 100])
def test_a_key_is_its_own_key(tag: str) -> None:
    assert text.tag_key(tag) == tag


@pytest.mark.parametrize("tag", ["", "1", "a b", "a/b", "<b>", "a" * 101, "\u200d", "a#b"])
def test_what_is_no_tag_has_no_key(tag: str) -> None:
    assert text.tag_key(tag) is None


def test_only_those_who_exist_are_linked_under_their_true_name() -> None:
    drawn = text.html("@ADA and @nobody", {"ada": "Ada"})
    assert drawn == '<a class="mention" href="/@Ada" dir="ltr">@ADA</a> and @nobody'


def test_a_tag_leads_to_its_key() -> None:
    drawn = text.html("#Été", {})
    assert drawn == '<a class="hashtag" href="/tags/%C3%A9t%C3%A9" dir="auto">#Été</a>'


def test_a_link_carries_no_weight_and_opens_nothing() -> None:
    drawn = text.html("https://example.com/", {})
    expected = 'href="https://example.com/" rel="nofollow noopener ugc" dir="ltr">example.com</a>'
    assert drawn == f"<a {expected}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/short", "example.com/short"),
        ("https://example.com:8080/", "example.com:8080"),
        ("https://EXAMPLE.com/A", "example.com/A"),
        (
            "https://a-very-long-host-name-that-stays-whole.example.com/" + "path/" * 20 + "end",
            "a-very-long-host-name-that-stays-whole.example.com/path/path/path/pa…th/path/end",
        ),
        ("https://пример.рф/", "пример.рф"),
        ("https://пример.com/", "пример.com"),
        ("https://日本語カナ.jp/", "日本語カナ.jp"),
        ("https://аррӏе.com/", "xn--80ak6aa92e.com"),
        ("https://gооgle.com/", "xn--ggle-55da.com"),
        ("https://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com"),
        ("https://i❤.ws/", "xn--i-7iq.ws"),
        ("https://example.com/a\u202egpj.exe", "example.com/agpj.exe"),
    ],
)
def test_the_host_is_shown_whole_and_undisguised(url: str, shown: str) -> None:
    drawn = text.html(url, {})
    assert drawn.striptags() == shown
    assert Markup("{}").format(url) in drawn or url in drawn


def test_attributes_cannot_be_broken_out_of() -> None:
    drawn = text.html("""https://a.b/'onmouseover='x https://a.b/"onload="x""", {})
    assert 'onload="x' not in drawn
    assert "&#39;onmouseover=&#39;x" in drawn


ADVERSARIES = [
    "http://a/(", "http://", "https://a.b/", "http://a/((((", "(http://a/[{", "http://a?(", "http://a:b@",
    "http://a.b/'\"", "http://" + "a-" * 200, "http://" + "a." * 200, "http://" + "é" * 70 + ".",
    "@", "@a", "a@", "@ada@", "#", "#a", "#é_", "#\u200d", "\u200d#a", "&#", "x", "é\u0301", "👩‍💻",
    "🇨🇺", "🇨🇺x", " ", "http://a.b/🇨🇺", "क्", "\u0600", "ᄀ",
]  # fmt: skip


@pytest.mark.parametrize("seed", ADVERSARIES)
def test_ten_times_the_length_takes_no_more_than_twelve_times_as_long(seed: str) -> None:
    short, long = _seconds(seed, 10_000), _seconds(seed, 100_000)
    print(f"{seed[:20]!r}: {short * 1000:.1f} ms, {long * 1000:.1f} ms (goal: 12 times)")
    assert long < 5 * 12 * short + 0.05


def _seconds(seed: str, length: int) -> float:
    body = (seed * (length // len(seed) + 1))[:length]
    best = float("inf")
    for _ in range(3):
        text.parse.cache_clear()
        started = time.thread_time()
        text.count(body)
        text.html(body, {})
        text.tags(body)
        text.mentions(body)
        best = min(best, time.thread_time() - started)
    return best


def test_links_beyond_the_hundredth_stay_text() -> None:
    body = "https://a.b/ " * (text.MOST_LINKS + 1)
    assert len(links(body)) == text.MOST_LINKS
    assert text.parse(body)[-1] == Token("text", " https://a.b/ ")
