"""What is inside the text of a post: links, mentions, tags; its length; and the same as HTML.

Every pattern is linear in the length of the text: at most `MOST_LINKS` candidates for a link are
looked at, each cut off at `LONGEST_LINK` (0.2 ms for the worst), and nothing else is scanned twice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, urlsplit

import regex
from linkify_it import LinkifyIt
from markupsafe import Markup

from microblog.kernel import text as texts
from microblog.kernel import web_addresses

LINK_LENGTH = 23  # what a link counts, however long it is
LONGEST_LINK = 2048  # characters; anything longer stays plain text
LONGEST_TAG = 100
MOST_LINKS = 100  # the rest stays plain text; a post of 500 characters has room for twenty

# Scripts written without spaces: a name may touch them on either side.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc"
_WORD = rf"[\w--[{_UNSPACED}]]"
# Not inside a word, an address of mail, a path or a name on another server.
_MENTION = rf"(?<![{_WORD}@/])@(?P<mention>[A-Za-z0-9_]{{1,30}})(?!@?{_WORD})"
_TAG = rf"(?<![{_WORD}&/\#])\#(?P<tag>[\p{{L}}\p{{M}}\p{{Nd}}_\u00b7\u30fb\u200c\u200d]+)"
_LINK = r"(?<![A-Za-z0-9_])(?P<scheme>[Hh][Tt][Tt][Pp][Ss]?:)(?=//)"
_FOUND = regex.compile(rf"(?V1){_LINK}|{_MENTION}|{_TAG}")
# Quotation marks, brackets and stops other than ASCII: they end a sentence where no space does, and
# never stand in a link as browsers copy it.
_LINK_END = regex.compile(
    r"(?V1)[\s\p{Cc}<>\"\p{Pi}\p{Pf}\u2026\u3001\u3002\uff01-\uff0f\uff1a-\uff20\uff5b-\uff65]"
    r"|[[\p{Ps}\p{Pe}]--[\(\)\[\]\{\}]]"
)
# A row of flags makes \X walk back to its start from each of them: 12 s for 40,000 characters.
_LETTER = regex.compile(r"\p{L}")
_TAG_TAIL = "\u00b7\u30fb\u200c\u200d"
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")

_linkify = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False})


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text as typed; `value` is the URL, the name or the tag's key."""

    kind: Literal["text", "link", "mention", "tag"]
    text: str
    value: str = ""


@lru_cache(maxsize=64)
def parse(body: str) -> tuple[Token, ...]:
    """The pieces of `body`, in order; joined they are `body` again."""
    pieces: list[Token] = []
    done = 0
    for start, token in _tokens(body):
        if start > done:
            pieces.append(Token("text", body[done:start]))
        pieces.append(token)
        done = start + len(token.text)
    if done < len(body):
        pieces.append(Token("text", body[done:]))
    return tuple(pieces)


def count(body: str) -> int:
    """Its length as people count it: grapheme clusters, and 23 for each link."""
    return sum(
        LINK_LENGTH if token.kind == "link" else texts.graphemes(token.text)
        for token in parse(body)
    )


def mentions(body: str) -> list[str]:
    """The names that are mentioned, as typed, each once."""
    return _each(body, "mention")


def tags(body: str) -> list[str]:
    """The keys of the tags in it, each once."""
    return _each(body, "tag")


def tag_key(tag: str) -> str | None:
    """What is stored of a tag and stands in its address; None if this is no tag.

    Compatibility forms, case and invisible characters make no difference.
    """
    folded = unicodedata.normalize("NFKC", _IGNORABLE.sub("", tag)).casefold()
    key = unicodedata.normalize("NFKC", folded)
    return key if len(key) <= LONGEST_TAG and _is_tag(key) else None


def html(body: str, known: Mapping[str, str]) -> Markup:
    """`body` as HTML; line breaks stay as they are.

    `known` maps the lower-case names of those mentioned to their true spelling; other names are
    left as text.
    """
    return Markup("").join(_drawn(token, known) for token in parse(body))


def _tokens(body: str) -> Iterator[tuple[int, Token]]:
    at = candidates = 0
    while found := _FOUND.search(body, at):
        candidates += bool(found["scheme"])
        token = _token(body, found) if candidates <= MOST_LINKS or not found["scheme"] else None
        at = found.end()
        if token is not None:
            at = found.start() + len(token.text)
            yield found.start(), token


def _token(body: str, found: regex.Match[str]) -> Token | None:
    if found["scheme"]:
        return _link(body, found.start(), found.end())
    if found["mention"]:
        return Token("mention", found[0], found["mention"])
    typed = found["tag"].rstrip(_TAG_TAIL)
    key = tag_key(typed)
    return Token("tag", f"#{typed}", key) if key else None


def _link(body: str, start: int, after_scheme: int) -> Token | None:
    limit = start + LONGEST_LINK
    end = _LINK_END.search(body, after_scheme, limit + 1)
    candidate = body[start : end.start() if end else limit + 1]
    scheme = after_scheme - start
    length = scheme + _linkify.test_schema_at(candidate, "http:", scheme)
    if length == scheme or length > LONGEST_LINK:
        return None
    url = candidate[:length]
    return Token("link", url, url) if web_addresses.is_honest(url) else None


def _is_tag(key: str) -> bool:
    found = _FOUND.fullmatch(f"#{key}")
    return found is not None and _LETTER.search(key) is not None


def _each(body: str, kind: str) -> list[str]:
    return list(dict.fromkeys(token.value for token in parse(body) if token.kind == kind))


def _drawn(token: Token, known: Mapping[str, str]) -> Markup | str:
    match token.kind:
        case "link":
            return _drawn_link(token.value)
        case "mention" if name := known.get(token.value.lower()):
            return Markup('<a class="mention" href="/@{}" dir="ltr">{}</a>').format(
                name, token.text
            )
        case "tag":
            return Markup('<a class="hashtag" href="/tags/{}" dir="auto">{}</a>').format(
                quote(token.value, safe=""), token.text
            )
        case _:
            return token.text


def _drawn_link(url: str) -> Markup:
    """`dir` isolates it: no bidirectional control around it can turn the host about."""
    shown = web_addresses.shown(urlsplit(url))
    title = Markup(' title="{}"').format(url) if "…" in shown else ""
    return Markup('<a href="{}" rel="nofollow noopener ugc" dir="ltr"{}>{}</a>').format(
        url, title, shown
    )
