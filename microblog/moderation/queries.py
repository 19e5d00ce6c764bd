"""Questions of moderators: who is here, what was told, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    false,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from microblog.accounts import addresses, names
from microblog.accounts.model import Account
from microblog.admissions.applications import WAITS
from microblog.admissions.model import Application
from microblog.kernel import text as texts
from microblog.kernel.errors import NotFound
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.moderation.model import Appeal, Entry, Report
from microblog.posts.model import Post

PAGE = 50
MANY = 100  # waiting: counted no further
TOLD = ("suspend", "lift", "silence", "unsilence", "delete_post")
SHOWN = ("all", "staff", "suspended", "silenced")


class StaffMember(NamedTuple):
    id: int
    role: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as moderators see them; `email` is shown to administrators alone."""

    id: int
    name: str
    display_name: str
    bio: str
    email: str | None
    role: str
    created_at: datetime
    suspended_at: datetime | None
    suspended_until: datetime | None
    silenced_at: datetime | None

    @property
    def shown(self) -> str:
        return self.display_name


@dataclass(frozen=True, slots=True)
class EntryView:
    """`actor` is None where time or an appeal did it."""

    id: int
    at: datetime
    act: str
    reason: str
    post_id: int | None
    before: dict[str, Any]
    after: dict[str, Any]
    actor: str | None
    target: str | None
    account_id: int | None

    @property
    def until(self) -> datetime | None:
        """When a suspension was to end."""
        written = self.after.get("suspended_until")
        return datetime.fromisoformat(written) if written and self.act == "suspend" else None


@dataclass(frozen=True, slots=True)
class ReportView:
    id: int
    at: datetime
    category: str
    words: str
    quoted: str
    post_id: int | None
    account_id: int
    reporter: str
    target: str
    closed_at: datetime | None
    outcome: str | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class AppealView:
    entry: EntryView
    words: str
    at: datetime
    actor_id: int | None
    decided_at: datetime | None
    granted: bool | None


class Waiting(NamedTuple):
    reports: int = 0
    appeals: int = 0
    applications: int = 0

    @property
    def total(self) -> int:
        return min(sum(self), MANY)


@dataclass(frozen=True, slots=True)
class Totals:
    people: int
    posts: int
    suspended: int
    silenced: int


# In the words of the index, or no database could tell that it fits.
_STAFF = (Account.role != literal_column("'member'"), Account.suspended_at.is_(None))
_SUSPENDED = Account.suspended_at.is_not(None) & Account.suspended_at.is_distinct_from(
    Account.leaving_at
)
_IS_SOMEBODY = Account.name != literal_column("''")  # the row of who has left stays, emptied
_PERSON = select(
    Account.id, Account.name,
    func.coalesce(func.nullif(Account.display_name, ""), Account.name),
    Account.bio, Account.email, Account.role, Account.created_at,
    # Who is leaving is hidden as suspended people are, and is not suspended.
    type_coerce(func.nullif(Account.suspended_at, Account.leaving_at), Account.suspended_at.type),
    Account.suspended_until, Account.silenced_at,
).where(Account.host == "")  # fmt: skip
_actor, _target = aliased(Account), aliased(Account)
_ENTRY = (
    select(
        Entry.id, Entry.at, Entry.act, Entry.reason, Entry.post_id, Entry.before, Entry.after,
        _actor.name, _target.name, Entry.account_id,
    )
    .outerjoin(_actor, _actor.id == Entry.actor_id)
    .outerjoin(_target, _target.id == Entry.account_id)
    .order_by(Entry.id.desc())
)  # fmt: skip
_closer = aliased(Account)
_REPORT: Select[*tuple[Any, ...]] = (
    select(
        Report.id, Report.at, Report.category, Report.words, Report.quoted, Report.post_id,
        Report.account_id, _actor.name, _target.name, Report.closed_at, Report.outcome,
        _closer.name,
    )
    .join(_actor, _actor.id == Report.reporter_id)
    .join(_target, _target.id == Report.account_id)
    .outerjoin(_closer, _closer.id == Report.closed_by_id)
    .order_by(Report.id.desc())
)  # fmt: skip


def _counted(some: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(some.limit(MANY).subquery()).scalar_subquery()


_WAITING = select(
    _counted(select(Report.id).where(Report.closed_at.is_(None))),
    _counted(select(Appeal.entry_id).where(Appeal.decided_at.is_(None))),
    _counted(select(Application.id).where(WAITS)),
)


async def staff(session: Session) -> list[StaffMember]:
    """Moderators and administrators who can act."""
    rows = await session.execute(select(Account.id, Account.role).where(*_STAFF))
    return [StaffMember(*row) for row in rows]


async def waiting(session: Session) -> Waiting:
    """What nobody has answered; no more than `MANY` of each kind."""
    row = (await session.execute(_WAITING)).one()
    return Waiting(*row)


async def person(session: Session, account_id: int) -> Person:
    """Suspended people included."""
    row = (await session.execute(_PERSON.where(Account.id == account_id))).one_or_none()
    if row is None:
        raise NotFound
    return Person(*row)


async def people(
    session: Session,
    *,
    find: str = "",
    show: str = "all",
    before: int | None = None,
    by_address: bool = True,
) -> list[Person]:
    """Newest first, one more than a page; `find` is the beginning of a name, or an address, which
    finds nobody for who may not see addresses."""
    page = _PERSON.where(_IS_SOMEBODY, Account.id < (before or LARGEST))
    page = page.order_by(Account.id.desc())
    page = page.where(*_found(texts.one_line(find), by_address), *_filtered(show)).limit(PAGE + 1)
    return [Person(*row) for row in await session.execute(page)]


async def entries(
    session: Session,
    *,
    account_id: int | None = None,
    public: bool = False,
    before: int | None = None,
) -> list[EntryView]:
    """Newest first, one more than a page; of one person, or the public part."""
    page = _ENTRY.where(Entry.id < (before or LARGEST))
    if account_id is not None:
        page = page.where(Entry.account_id == account_id)
    if public:
        page = page.where(Entry.is_public.is_(True))
    return await _entries(session, page.limit(PAGE + 1))


async def done_to(session: Session, account_id: int, before: int | None = None) -> list[EntryView]:
    """What somebody was told that was done to them, newest first, one more than a page."""
    page = _ENTRY.where(Entry.id < (before or LARGEST), Entry.account_id == account_id)
    return await _entries(session, page.where(Entry.act.in_(TOLD)).limit(PAGE + 1))


async def entry(session: Session, entry_id: int) -> EntryView:
    found = await _entries(session, _ENTRY.where(Entry.id == entry_id))
    if not found:
        raise NotFound
    return found[0]


async def reports(
    session: Session, *, closed: bool = False, before: int | None = None
) -> list[ReportView]:
    """Newest first, one more than a page."""
    state = Report.closed_at.is_not(None) if closed else Report.closed_at.is_(None)
    page = _REPORT.where(state, Report.id < (before or LARGEST)).limit(PAGE + 1)
    return [ReportView(*row) for row in await session.execute(page)]


async def report(session: Session, report_id: int) -> ReportView:
    row = (await session.execute(_REPORT.where(Report.id == report_id))).one_or_none()
    if row is None:
        raise NotFound
    return ReportView(*row)


async def reports_about(session: Session, account_id: int) -> list[ReportView]:
    """The newest, open and closed."""
    page = _REPORT.where(Report.account_id == account_id).limit(PAGE)
    return [ReportView(*row) for row in await session.execute(page)]


async def appeals(session: Session) -> list[AppealView]:
    """Those that wait, the oldest first, no more than a page."""
    wanted = (
        select(Appeal, Entry.actor_id)
        .join(Entry, Entry.id == Appeal.entry_id)
        .where(Appeal.decided_at.is_(None))
        .order_by(Appeal.entry_id)
        .limit(PAGE)
    )
    rows = (await session.execute(wanted)).all()
    about = _ENTRY.where(Entry.id.in_([appeal.entry_id for appeal, _ in rows]))
    known = {one.id: one for one in await _entries(session, about)}
    return [
        AppealView(
            known[one.entry_id], one.words, one.at, actor_id, one.decided_at, one.granted
        )
        for one, actor_id in rows
    ]  # fmt: skip


async def totals(session: Session) -> Totals:
    """Counted in full, which takes the longer the more there are: ask for it rarely."""
    here = select(func.count()).select_from(Account).where(Account.host == "", _IS_SOMEBODY)
    stands = select(func.count()).select_from(Post).where(Post.deleted_at.is_(None))
    return Totals(
        people=await session.scalar(here) or 0,
        posts=await session.scalar(stands) or 0,
        suspended=await session.scalar(here.where(_SUSPENDED)) or 0,
        silenced=await session.scalar(here.where(Account.silenced_at.is_not(None))) or 0,
    )


async def _entries(session: Session, wanted: Select[Any]) -> list[EntryView]:
    return [EntryView(*row) for row in await session.execute(wanted)]


def _found(find: str, by_address: bool) -> Sequence[ColumnElement[bool]]:
    wanted = find.strip()[:254]
    if not wanted:
        return ()
    if "@" in wanted.removeprefix("@"):
        return (Account.email_key == addresses.key(wanted) if by_address else false(),)
    return (Account.name_key.startswith(names.key(wanted.removeprefix("@")), autoescape=True),)


def _filtered(show: str) -> Sequence[ColumnElement[bool]]:
    match show:
        case "staff":
            return (_STAFF[0],)
        case "suspended":
            return (_SUSPENDED,)
        case "silenced":
            return (Account.silenced_at.is_not(None),)
    return ()
