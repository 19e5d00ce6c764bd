"""How a web address is shown so that nobody is fooled by it (CVE-2023-36462, UTS 39).

The host always stands there whole.  A host whose letters come from several scripts, or that is made
of letters that look Latin and are not, is shown in punycode.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

import regex

LONGEST_REST = 30  # graphemes of path and query that are shown

_SCRIPTS = [
    "Arabic", "Armenian", "Bengali", "Cyrillic", "Devanagari", "Ethiopic", "Georgian", "Greek",
    "Gujarati", "Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Latin", "Malayalam", "Myanmar",
    "Oriya", "Sinhala", "Tamil", "Telugu", "Thaana", "Thai", "Tibetan",
]  # fmt: skip
# Written together in everyday use ("highly restrictive" in UTS 39).
_TOGETHER = ("Latin Han Hiragana Katakana", "Latin Han Bopomofo", "Latin Han Hangul")
_NEUTRAL = r"[\p{Common}\p{Inherited}&&[\p{Nd}\p{M}\u30fc\-]]"


def _letters_of(scripts: str) -> str:
    return "[" + "".join(rf"\p{{{name}}}" for name in scripts.split()) + _NEUTRAL + "]+"


_PLAIN = regex.compile(
    r"(?V1)(?=[\p{L}\p{M}\p{Nd}\-]+\Z)(?:"
    + "|".join(_letters_of(scripts) for scripts in (*_SCRIPTS, *_TOGETHER))
    + ")"
)
# Letters of other scripts that pass for Latin ones; a label of nothing else is a disguise.
_LOOKALIKE = regex.compile(
    r"[0-9\-асԁеһіјӏорԛѕԝхуъьҽпгѵѡ]+"
    r"|[0-9\-αγικνορυωηχ]+"
    r"|[0-9\-օսցհոզռ]+"  # noqa: RUF001 - ambiguous is the point
)
_HIDDEN = regex.compile(r"[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]")
_INVISIBLE = regex.compile(r"[\p{C}\p{Z}]")
_GRAPHEME = regex.compile(r"\X")


def is_honest(url: str) -> bool:
    """Has a host that every browser reads alike, and no name before it posing as one."""
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and "@" not in parts.netloc and not _HIDDEN.search(parts.netloc)


def shown(parts: SplitResult) -> str:
    """Host and path without the scheme, shortened in the middle of what follows the host."""
    port = f":{parts.port}" if parts.port else ""
    rest = parts._replace(scheme="", netloc="").geturl()
    rest = _INVISIBLE.sub("", rest)
    return host(parts) + port + _shortened("" if rest == "/" else rest)


def host(parts: SplitResult) -> str:
    return ".".join(_label(label) for label in (parts.hostname or "").split("."))


def _label(label: str) -> str:
    if label.isascii():
        return label
    if _PLAIN.fullmatch(label) and not _LOOKALIKE.fullmatch(label):
        return label
    return "xn--" + label.encode("punycode").decode("ascii")


def _shortened(rest: str) -> str:
    if len(rest) <= 200 and len(_GRAPHEME.findall(rest)) <= LONGEST_REST:
        return rest
    head, tail = _GRAPHEME.findall(rest[:100]), _GRAPHEME.findall(rest[-100:])
    return "".join(head[:18]) + "…" + "".join(tail[-11:])
