"""Questions about people.  Cards are what pages show of somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass

from sqlalchemy import Row, Select, bindparam, literal_column, select

from microblog.accounts import addresses, names
from microblog.accounts.model import Account, KeptName
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session

_CHUNK = 500  # SQLite takes 32,766 parameters, other databases fewer; statements stay small


@dataclass(frozen=True, slots=True)
class PersonCard:
    """`display_name` is never empty."""

    id: int
    name: str
    display_name: str
    bio: str
    avatar: str | None = None  # what the names of its files begin with

    @property
    def shown(self) -> str:
        return self.display_name


_HERE = (Account.host == "", Account.suspended_at.is_(None))
_NAMED = select(Account).where(Account.name_key == bindparam("key"), *_HERE)
_CARDS = select(Account.id, Account.name, Account.display_name, Account.bio, Account.avatar)
# The first in the words of the index.
_ADMINISTRATES = (
    Account.role != literal_column("'member'"), Account.role == "administrator", *_HERE,
)  # fmt: skip


async def card(session: Session, account_id: int) -> PersonCard | None:
    return (await cards(session, [account_id])).get(account_id)


async def cards(session: Session, account_ids: Iterable[int]) -> dict[int, PersonCard]:
    """By id; unknown ids and suspended people are left out."""
    wanted = list(dict.fromkeys(account_ids))
    found: dict[int, PersonCard] = {}
    for start in range(0, len(wanted), _CHUNK):
        some = Account.id.in_(wanted[start : start + _CHUNK])
        rows = await session.execute(_CARDS.where(some, Account.suspended_at.is_(None)))
        found |= {row.id: _card(row) for row in rows}
    return found


def card_of(account: Account) -> PersonCard:
    shown = account.display_name or account.name
    return PersonCard(account.id, account.name, shown, account.bio, account.avatar)


async def account(session: Session, account_id: int) -> Account:
    found = await session.get(Account, account_id)
    if found is None:
        raise NotFound
    return found


async def by_name(session: Session, name: str) -> Account:
    """The account of this site with that name, in whatever case; suspended ones are not found.

    A name that somebody had until not long ago is theirs still.
    """
    if not names.is_name(name):
        raise NotFound
    found = await session.scalar(_NAMED, {"key": names.key(name)})
    found = found or await session.scalar(_once_named(name))
    if found is None:
        raise NotFound
    return found


async def by_email(session: Session, email: str) -> Account | None:
    """Suspended ones are not found."""
    wanted = Account.email_key == addresses.key(email)
    return await session.scalar(select(Account).where(wanted, *_HERE))


async def ids_by_names(session: Session, written: Iterable[str]) -> dict[str, int]:
    """Lower-case name to id, for those of `written` who exist: what a mention can mean."""
    keys = list({names.key(name) for name in written if names.is_name(name)})[:_CHUNK]
    if not keys:
        return {}
    rows = await session.execute(
        select(Account.name_key, Account.id).where(Account.name_key.in_(keys), *_HERE)
    )
    return {row.name_key: row.id for row in rows}


async def taken_names(session: Session, written: Sequence[str]) -> set[str]:
    """Those of the names, in lower case, which somebody has or had until not long ago."""
    keys = [names.key(name) for name in written]
    theirs = select(Account.name_key).where(Account.name_key.in_(keys), Account.host == "")
    kept = select(KeptName.name_key).where(KeptName.name_key.in_(keys), KeptName.until > now())
    return set(await session.scalars(theirs)) | set(await session.scalars(kept))


async def is_known_email(session: Session, email: str) -> bool:
    wanted = select(Account.id).where(Account.email_key == addresses.key(email))
    return await session.scalar(wanted) is not None


async def has_administrator(session: Session) -> bool:
    wanted = select(Account.id).where(*_ADMINISTRATES).limit(1)
    return await session.scalar(wanted) is not None


async def is_last_administrator(session: Session, account_id: int) -> bool:
    theirs = select(Account.id).where(*_ADMINISTRATES)
    return list(await session.scalars(theirs.limit(2))) == [account_id]


async def suggestions(
    session: Session, account_id: int | None, exclude: Set[int], limit: int
) -> list[PersonCard]:
    """People to follow, the newest first, without `exclude`, the one who asks, and all to whom
    nobody is led."""
    unwanted = exclude | {account_id}
    shown = (*_HERE, Account.silenced_at.is_(None), Account.private_at.is_(None))
    newest = _CARDS.where(*shown).order_by(Account.id.desc()).limit(limit + len(unwanted))
    rows = (await session.execute(newest)).all()
    return [_card(row) for row in rows if row.id not in unwanted][:limit]


def _once_named(name: str) -> Select[Account]:
    lasting = (KeptName.name_key == names.key(name), KeptName.until > now())
    with_it = select(Account).join(KeptName, KeptName.account_id == Account.id)
    return with_it.where(*lasting, *_HERE)


def _card(row: Row[int, str, str, str, str | None]) -> PersonCard:
    return PersonCard(row.id, row.name, row.display_name or row.name, row.bio, row.avatar)
