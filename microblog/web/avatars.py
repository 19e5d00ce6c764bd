"""Default pictures of people, drawn from the name: no request to a third party, no hash of an
address."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import regex
from markupsafe import Markup

from microblog.accounts.queries import PersonCard

_FIRST = regex.compile(r"\X")
_COLOURS = 12  # classes avatar-0 … avatar-11 in the stylesheet; inline styles are not allowed


def avatar(person: PersonCard, size: int = 44) -> Markup:
    """An inline SVG of `size` pixels: initials on a colour of the name's own."""
    return _drawn(person.name, person.shown, size)


@lru_cache(maxsize=4000)
def _drawn(name: str, shown: str, size: int) -> Markup:
    colour = hashlib.sha256(name.lower().encode()).digest()[0] % _COLOURS
    return Markup(
        '<svg class="avatar avatar-{colour}" width="{size}" height="{size}" viewBox="0 0 44 44"'
        ' aria-hidden="true" focusable="false"><rect width="44" height="44"/>'
        '<text x="22" y="22" dy=".36em" text-anchor="middle">{initials}</text></svg>'
    ).format(colour=colour, size=size, initials=_initials(shown))


def _initials(shown: str) -> str:
    words = [word for word in shown.split() if regex.match(r"[\p{L}\p{N}]", word)] or [shown]
    chosen = words[:1] + words[-1:] if len(words) > 1 else words[:1]
    return "".join(_FIRST.findall(word)[0] for word in chosen if word).upper()
