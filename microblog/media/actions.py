"""Which pictures somebody has.  Every function runs inside its caller's transaction; files are
removed by the caller after it, by the names these functions return.
"""

from __future__ import annotations

from sqlalchemy import or_, select, update

from microblog.accounts import queries as accounts
from microblog.accounts.model import Account
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.kernel.text import graphemes, is_blank, one_line
from microblog.media.framing import MIDDLE
from microblog.media.workshop import SIZES, endings

LONGEST_ALT = 300
_ALT_BYTES = 1200


def check_alt(kind: str, written: str) -> str:
    """What the picture shows, in words.  Raises `Invalid`."""
    words = one_line(written)
    if graphemes(words) > LONGEST_ALT or len(words.encode()) > _ALT_BYTES:
        sentence = N_("That is too long: at most %(most)s characters.")
        raise Invalid(f"{kind}_alt", sentence, most=LONGEST_ALT)
    return "" if is_blank(words) else words


async def change(
    session: Session, account_id: int, kind: str, picture: str, alt: str, focus: str = MIDDLE
) -> list[str]:
    """Show `picture` from now on; the names of the files that it replaces."""
    old = getattr(await accounts.account(session, account_id), kind)
    await _set(session, account_id, {kind: picture, **_said(kind, alt, focus)})
    return files(kind, old)


async def describe(session: Session, account_id: int, kind: str, alt: str, focus: str) -> None:
    await _set(session, account_id, _said(kind, alt, focus))


async def remove(session: Session, account_id: int, kind: str) -> list[str]:
    """Show none; the names of the files that were shown."""
    old = getattr(await accounts.account(session, account_id), kind)
    await _set(session, account_id, {kind: None, **_said(kind, "", MIDDLE)})
    return files(kind, old)


async def shown_of(session: Session, account_id: int) -> list[str]:
    """Names of the files of all their pictures."""
    mine = await accounts.account(session, account_id)
    return [name for kind in SIZES for name in files(kind, getattr(mine, kind))]


async def all_shown(session: Session) -> set[str]:
    """Every picture that somebody has."""
    some = or_(Account.avatar.is_not(None), Account.header.is_not(None))
    rows = await session.execute(select(Account.avatar, Account.header).where(some))
    return {picture for row in rows for picture in row if picture}


async def is_shown(session: Session, picture: str) -> bool:
    """Whether it is of somebody who can be seen."""
    is_theirs = or_(Account.avatar == picture, Account.header == picture)
    wanted = select(Account.id).where(is_theirs, Account.suspended_at.is_(None)).limit(1)
    return await session.scalar(wanted) is not None


def files(kind: str, picture: str | None) -> list[str]:
    return [picture + ending for ending in endings(kind)] if picture else []


def _said(kind: str, alt: str, focus: str) -> dict[str, object]:
    """A square is a square everywhere: only of a header picture less may be shown than is kept."""
    said: dict[str, object] = {f"{kind}_alt": alt}
    return said | {"header_focus": focus} if kind == "header" else said


async def _set(session: Session, account_id: int, values: dict[str, object]) -> None:
    await session.execute(update(Account).where(Account.id == account_id).values(**values))
