"""What can be done with accounts.  Every function runs inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from microblog.accounts import addresses, bans, names, queries
from microblog.accounts.addresses import check_email
from microblog.accounts.model import Account, KeptName
from microblog.accounts.names import check_name
from microblog.accounts.profiles import (
    check_bio,
    check_display_name,
    check_links,
    check_location,
    check_pronouns,
)  # fmt: skip
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Invalid
from microblog.kernel.i18n import LANGUAGES
from microblog.kernel.model import Session

NAME_KEPT = timedelta(days=365)
PROFILE: Mapping[str, Callable[[str], str]] = {
    "display_name": check_display_name,
    "bio": check_bio,
    "pronouns": check_pronouns,
    "location": check_location,
}
APPEARANCE: Mapping[str, frozenset[str]] = {
    "theme": frozenset({"auto", "light", "dark"}),
    "feed_mode": frozenset({"pill", "insert"}),
    "accent": frozenset({"pine", "sea", "plum", "clay"}),
    "text_size": frozenset({"normal", "large", "larger"}),
    "motion": frozenset({"auto", "less"}),
    "language": frozenset(LANGUAGES) | {""},
}


async def create(
    session: Session,
    *,
    name: str,
    email: str | None,
    password_hash: str | None,
    language: str | None = None,
    time_zone: str | None = None,
) -> Account:
    """A new member.  Raises `Invalid`, or `Conflict("username")` or `Conflict("email")`."""
    name, email = check_name(name), check_email(email) if email is not None else None
    await bans.refuse(session, name=name, email=email)
    if names.key(name) in await queries.taken_names(session, [name]):
        raise await taken_name(session, name)
    account = Account(
        name=name,
        name_key=names.key(name),
        email=email,
        email_key=addresses.key(email) if email else None,
        password_hash=password_hash,
        language=language if language in LANGUAGES else None,
        time_zone=time_zone if is_time_zone(time_zone) else None,
    )
    try:
        async with session.begin_nested():
            session.add(account)
    except IntegrityError as error:
        if "email_key" in str(error.orig):
            raise known_email() from error
        raise await taken_name(session, name) from error
    return account


async def rename(session: Session, account_id: int, written: str) -> None:
    """Another @name; for a year the old one leads here and can be nobody else's.

    Raises `Invalid`, or `Conflict("username")`.
    """
    name, mine = check_name(written), await queries.account(session, account_id)
    key, old_key = names.key(name), mine.name_key
    if key != old_key:
        await bans.refuse(session, name=name, email=None)
        before = await session.get(KeptName, key)
        if before is not None and before.account_id == account_id:
            await session.delete(before)
        elif key in await queries.taken_names(session, [name]):
            raise await taken_name(session, name)
    try:
        async with session.begin_nested():
            await _change(session, account_id, {"name": name, "name_key": key})
    except IntegrityError as error:
        raise await taken_name(session, name) from error
    if key != old_key:
        until = now() + NAME_KEPT
        await session.merge(KeptName(name_key=old_key, until=until, account_id=account_id))


async def edit_profile(
    session: Session,
    account_id: int,
    *,
    links: Sequence[tuple[str, str]] | None = None,
    **words: str,
) -> None:
    """Change what is given of the links (label and address) and of `PROFILE`.

    Raises `Invalid` for all fields at once.
    """
    checks: list[tuple[str, Callable[[], Any]]] = [
        (field, partial(PROFILE[field], written)) for field, written in words.items()
    ]
    if links is not None:
        checks.append(("links", partial(check_links, links)))
    values, refusals = {}, []
    for field, check in checks:
        try:
            values[field] = check()
        except Invalid as refusal:
            refusals.append(refusal)
    if refusals:
        raise Invalid.together(refusals)
    await _change(session, account_id, values)


async def edit_appearance(session: Session, account_id: int, choices: Mapping[str, str]) -> None:
    """Change those of `APPEARANCE` and of time_zone that `choices` has.

    An empty language or time zone means the browser's.
    """
    for field, value in choices.items():
        known = is_time_zone(value or None) if field == "time_zone" else value in APPEARANCE[field]
        if not known:
            raise Invalid(field, N_("Choose one of the list."))
    if choices:
        await _change(session, account_id, {f: value or None for f, value in choices.items()})


async def note_mail_refusal(session: Session, account_id: int, reason: str) -> None:
    """Their address refused a mail for good; they are told on the next visit."""
    values = {"mail_refusal": reason[:500], "mail_refusals": Account.mail_refusals + 1}
    await _change(session, account_id, values)


async def forgive_mail_refusal(session: Session, account_id: int) -> None:
    await _change(session, account_id, {"mail_refusal": None, "mail_refusals": 0})


async def set_email(session: Session, account_id: int, email: str) -> None:
    """Raises `Invalid`, or `Conflict("email")`."""
    email = check_email(email)
    await bans.refuse(session, email=email)
    try:
        async with session.begin_nested():
            values = {"email": email, "email_key": addresses.key(email)}
            await _change(session, account_id, values)
    except IntegrityError as error:
        raise known_email() from error
    await forgive_mail_refusal(session, account_id)


async def promote(session: Session, account_id: int) -> None:
    """Make somebody an administrator."""
    await _change(session, account_id, {"role": "administrator"})


async def taken_name(session: Session, name: str) -> Conflict:
    """The refusal, with a name that is free."""
    candidates = [f"{name[: names.LONGEST - len(str(n))]}{n}" for n in range(2, 30)]
    taken = await queries.taken_names(session, candidates)
    free = next((one for one in candidates if names.key(one) not in taken), None)
    if free is None:
        return Conflict("username", N_("That name is taken. Try another."))
    return Conflict("username", N_("That name is taken. Try %(free)s."), free=free)


def known_email() -> Conflict:
    return Conflict("email", N_("An account has that address. Sign in, or ask for a new password."))


def is_time_zone(name: str | None) -> bool:
    """Whether it can be stored: no zone at all (the browser's), or one that this system knows."""
    try:
        return name is None or (len(name) <= 64 and bool(ZoneInfo(name)))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


async def _change(session: Session, account_id: int, values: Mapping[str, object]) -> None:
    await session.execute(update(Account).where(Account.id == account_id).values(**values))
