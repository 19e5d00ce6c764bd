"""Pictures of people; without one of their own, it is drawn from the name: no request to a third
party, no hash of an address."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Protocol

import regex
from markupsafe import Markup

_FIRST = regex.compile(r"\X")
_COLOURS = 12  # classes avatar-0 … avatar-11 in the stylesheet; inline styles are not allowed


class Pictured(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def shown(self) -> str: ...
    @property
    def avatar(self) -> str | None: ...


def avatar(person: Pictured, size: int = 44, alt: str = "") -> Markup:
    """Of `size` pixels: their picture, or an inline SVG of initials on a colour of the name's."""
    if person.avatar:
        return _picture(person.avatar, size, alt)
    return _drawn(person.name, person.shown, size)


def header_picture(picture: str, alt: str, focus: str) -> Markup:
    """Where there is no room for all of it, `focus` stays in sight."""
    attributes = Markup('class="profile-header" width="1500" height="500" data-focus="{}"')
    return _image(picture, "1500", attributes.format(focus), alt)


@lru_cache(maxsize=4000)
def _picture(picture: str, size: int, alt: str) -> Markup:
    attributes = Markup('class="avatar" width="{0}" height="{0}" loading="lazy"').format(size)
    return _image(picture, "96" if size <= 48 else "400", attributes, alt)


def _image(picture: str, width: str, attributes: Markup, alt: str) -> Markup:
    return Markup(
        '<picture><source type="image/webp" srcset="/media/{picture}-{width}.webp">'
        '<img {attributes} src="/media/{picture}-{width}.jpg" alt="{alt}" decoding="async">'
        "</picture>"
    ).format(picture=picture, width=width, attributes=attributes, alt=alt)


@lru_cache(maxsize=4000)
def _drawn(name: str, shown: str, size: int) -> Markup:
    colour = hashlib.sha256(name.lower().encode()).digest()[0] % _COLOURS
    return Markup(
        '<svg class="avatar avatar-{colour}" width="{size}" height="{size}"'
        ' viewBox="-22 -22 44 44" aria-hidden="true"><text dy=".36em">{initials}</text></svg>'
    ).format(colour=colour, size=size, initials=_initials(shown))


def _initials(shown: str) -> str:
    words = [word for word in shown.split() if regex.match(r"[\p{L}\p{N}]", word)] or [shown]
    chosen = words[:1] + words[-1:] if len(words) > 1 else words[:1]
    return "".join(_FIRST.findall(word)[0] for word in chosen if word).upper()
