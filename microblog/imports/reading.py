"""What the records of a copy say, taken for what strangers write: checked and bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from microblog.accounts import names
from microblog.accounts.actions import APPEARANCE, PROFILE
from microblog.follows import lists
from microblog.imports.archive import FOREIGN, CopyFile
from microblog.kernel.errors import Invalid
from microblog.kernel.ids import LARGEST
from microblog.kernel.text import one_line, shortened
from microblog.media import actions as pictures
from microblog.media.framing import FOCUSES, MIDDLE
from microblog.media.workshop import SIZES
from microblog.posts.bringing import OldPost

SETTINGS = (*APPEARANCE, "time_zone")

_DIGITS = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class OldRecord:
    """A post as it lies in a copy, and what it has to do with others."""

    id: str
    post: OldPost
    number: str  # in this copy, which is another where it was brought to that site, too
    answers: str | None  # by its number in this copy
    answers_whom: str  # the name; empty where nobody has it any more
    host: str  # where it was written first, which a copy of a copy says
    answered: str  # name@host, where it was already noted before


@dataclass(slots=True)
class Contents:
    """What there is to choose from."""

    name: str = ""
    made_for: str = ""  # the displayed name
    profile: int = 0  # fields with something in them
    pictures: int = 0
    settings: int = 0
    follows: int = 0
    private: bool = False  # the posts were for followers only
    posts: int = 0
    answers: int = 0  # of the posts, to posts of others
    unreadable: int = 0
    first: str = ""  # day of the oldest
    last: str = ""


def contents(file: CopyFile) -> dict[str, Any]:
    """Reads the whole file once.  Raises `Invalid("archive")`."""
    profile = file.part("profile")
    found = Contents(
        name=_name(profile),
        made_for=shortened(_text(profile.get("display_name")), 50),
        profile=len(words(file)) + bool(links(file)),
        pictures=sum(file.picture(kind) is not None for kind in SIZES),
        settings=len(settings(file)) + was_private(file),
        follows=len(following(file)),
        private=was_private(file),
    )
    if not found.name:
        raise Invalid("archive", FOREIGN)
    _count(file, found)
    return asdict(found)


def record(raw: Mapping[str, Any] | None, host: str) -> OldRecord | None:
    """None for what is no post."""
    if raw is None:
        return None
    number, at, body = _number(raw.get("id")), moment(raw.get("at")), raw.get("text")
    if not number or at is None or not isinstance(body, str):
        return None
    origin = raw.get("origin")
    origin = origin if isinstance(origin, dict) else {}
    return OldRecord(
        id=_number(origin.get("id")) or number,
        post=OldPost(body, at, moment(raw.get("edited_at")), _earlier(raw.get("earlier"))),
        number=number,
        answers=_number(raw.get("in_reply_to")) or None,
        answers_whom=one_line(_text(raw.get("in_reply_to_name")))[:30],
        host=one_line(_text(origin.get("host")))[:255] or host,
        answered=one_line(_text(origin.get("answered")))[:300],
    )


def words(file: CopyFile) -> dict[str, str]:
    """What the profile says, without the fields that it leaves empty."""
    profile = file.part("profile")
    return {field: _text(profile.get(field)) for field in PROFILE if _text(profile.get(field))}


def links(file: CopyFile) -> list[tuple[str, str]]:
    found = file.part("profile").get("links")
    pairs = found if isinstance(found, list) else []
    return [
        (_text(pair[0]), _text(pair[1]))
        for pair in pairs[:10]
        if isinstance(pair, list) and len(pair) == 2 and _text(pair[1])
    ]


def alt(file: CopyFile, kind: str) -> str:
    """What a picture shows; nothing rather than half of what is too long."""
    try:
        return pictures.check_alt(kind, _text(file.part("profile").get(f"{kind}_alt")))
    except Invalid:
        return ""


def settings(file: CopyFile) -> dict[str, str]:
    found = file.part("settings")
    return {field: _text(found.get(field)) for field in SETTINGS if _text(found.get(field))}


def focus(file: CopyFile) -> str:
    """What of a header picture is shown where there is too little room for it."""
    found = _text(file.part("profile").get("header_focus"))
    return found if found in FOCUSES else MIDDLE


def was_private(file: CopyFile) -> bool:
    return file.part("settings").get("private") is True


def unwanted_mail(file: CopyFile) -> list[str]:
    found = file.part("settings").get("mail_not_wanted_about")
    return [_text(kind) for kind in found[:50]] if isinstance(found, list) else []


def following(file: CopyFile) -> list[str]:
    """As addresses, with those who have not answered yet; no list is an empty one."""
    try:
        followed = lists.read(file.following())
    except Invalid:
        followed = []
    asked = file.person.get("asked_to_follow")
    waiting = [_text(name) for name in asked[: lists.MOST]] if isinstance(asked, list) else []
    return followed + [f"{name}@{file.host}" for name in waiting if names.is_name(name)]


def moment(written: object) -> datetime | None:
    """In any zone; None for what is no moment, or one without a zone."""
    if not isinstance(written, str) or len(written) > 40:
        return None
    try:
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _count(file: CopyFile, found: Contents) -> None:
    here: set[str] = set()
    days: list[str] = []
    for raw in file.posts():
        one = record(raw, file.host)
        if one is None:
            found.unreadable += 1
            continue
        here.add(one.number)
        found.posts += 1
        found.answers += one.answers is not None and one.answers not in here
        days = sorted({*days, one.post.at.date().isoformat()})
        days = [days[0], days[-1]]
    found.first, found.last = (days[0], days[-1]) if days else ("", "")


def _earlier(found: object) -> tuple[tuple[datetime, str], ...]:
    texts = found if isinstance(found, list) else []
    read = [
        (moment(one.get("at")), one.get("text")) for one in texts[-100:] if isinstance(one, dict)
    ]
    return tuple((at, said) for at, said in read if at and isinstance(said, str))


def _name(profile: Mapping[str, Any]) -> str:
    name = _text(profile.get("name"))
    return name if names.is_name(name) else ""


def _number(written: object) -> str:
    """As ids are written; "" for anything else."""
    if not isinstance(written, str) or not _DIGITS.fullmatch(written):
        return ""
    return written if int(written) <= LARGEST else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
