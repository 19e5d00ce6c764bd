"""A post as it is written elsewhere: with a link to it, and no longer than is taken there.

X counts in weights (its "weighted length", version 3): most letters of alphabets 1, others 2, an
emoji 2 however many code points it has, a link 23.  What X takes for a link is decided by a list of
domains that we do not have, so whatever may be one counts as the longer of both readings: a text is
cut a little early at worst, never refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import regex

from microblog.posts import text

LIMIT = 280
LINK = 23
ROOM = LIMIT - LINK - 2  # for the words before the link: two line breaks stand between
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
_ELLIPSIS = "…"  # weighs 2
_TIDY_END = 24  # characters that are given up to end with a whole word

_EMOJI = regex.compile(r"\p{Emoji_Presentation}|\p{Regional_Indicator}|\ufe0f|\u20e3")
_PIECE = regex.compile(
    # From the start of a word only, and nothing is given back: linear.
    r"(?P<link>(?<![\p{L}\p{N}_.-])(?:[\p{L}\p{N}_-]++\.)++\p{L}[\p{L}\p{N}-]++(?:/\S*+)?)"
    r"|[\U0001f1e6-\U0001f1ff]{2}|\X"  # flags by themselves: in a row they make \X quadratic
)
_WEB = regex.compile(r"https?://(?:[\p{L}\p{N}_-]+\.)+\p{L}{2,}(?::\d+)?(?:[/?#]|$)", regex.I)


def for_place(kind: str, body: str, known: Mapping[str, str], link: str) -> str:
    """`known` maps lower-case names of people here to how they are called from elsewhere."""
    body = _spelt_out(body, known)
    if kind == "x":
        body = cut(body, LIMIT - _of_link(link) - 2)
    return f"{body}\n\n{link}"


def cut(body: str, room: int) -> str:
    """As much of it as weighs no more than `room`, with an ellipsis if that is not all."""
    pieces = list(_pieces(body))
    if sum(weight for _, weight in pieces) <= room:
        return body
    kept, weight = "", 2
    for piece, its_weight in pieces:
        weight += its_weight
        if weight > room:
            break
        kept += piece
    return _whole_words(kept, body).rstrip() + _ELLIPSIS


def weigh(body: str) -> int:
    return sum(weight for _, weight in _pieces(body))


def _spelt_out(body: str, known: Mapping[str, str]) -> str:
    """@susan is somebody else over there: @susan@here.example is nobody else's name."""
    return "".join(
        known.get(token.value.lower(), token.text) if token.kind == "mention" else token.text
        for token in text.parse(body)
    )


def _pieces(body: str) -> Iterator[tuple[str, int]]:
    """What must not be cut through, and its weight."""
    for token in text.parse(body):
        if token.kind == "link":
            yield token.text, _of_link(token.text)
            continue
        for found in _PIECE.finditer(token.text):
            weight = _of(found[0])
            yield found[0], max(weight, LINK) if found["link"] else weight


def _of_link(url: str) -> int:
    return LINK if _WEB.match(url) else _of(url)


def _of(piece: str) -> int:
    if len(piece) < 16 and _EMOJI.search(piece):
        return 2
    return sum(1 if any(a <= ord(c) <= b for a, b in _LIGHT) else 2 for c in piece)


def _whole_words(kept: str, body: str) -> str:
    if body[len(kept) :][:1].isspace():
        return kept
    end = max(kept.rfind(" "), kept.rfind("\n"))
    return kept[:end] if 0 <= len(kept) - end <= _TIDY_END and end > 0 else kept
