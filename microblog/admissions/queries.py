"""Questions about invitations and applications."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from microblog.accounts.model import Account
from microblog.admissions.applications import DECIDED, WAITS
from microblog.admissions.model import Application, Invitation, InvitationUse
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session

PAGE = 50


@dataclass(frozen=True, slots=True)
class InvitationView:
    id: int
    inviter_id: int
    inviter: str
    note: str
    most: int
    used: int
    created_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None

    @property
    def works(self) -> bool:
        return self.withdrawn_at is None and self.used < self.most and self.expires_at > now()


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """`email` is shown to administrators alone, its domain to moderators."""

    id: int
    at: datetime
    name: str
    display_name: str
    email: str | None
    issuer: str | None
    shown: str
    language: str | None
    reason: str

    @property
    def domain(self) -> str:
        return (self.email or "").rpartition("@")[2]


_INVITATION = select(
    Invitation.id, Invitation.account_id, Account.name, Invitation.note, Invitation.most,
    Invitation.used, Invitation.created_at, Invitation.expires_at, Invitation.withdrawn_at,
).join(Account, Account.id == Invitation.account_id)  # fmt: skip
_APPLICATION = select(
    Application.id, Application.created_at, Application.name, Application.display_name,
    Application.email, Application.issuer, Application.shown, Application.language,
    Application.reason,
).where(WAITS)  # fmt: skip


async def invitations(
    session: Session, *, account_id: int | None = None, before: int | None = None
) -> list[InvitationView]:
    """Newest first, one more than a page; of one person or of all."""
    page = _INVITATION.where(Invitation.id < (before or LARGEST))
    if account_id is not None:
        page = page.where(Invitation.account_id == account_id)
    rows = await session.execute(page.order_by(Invitation.id.desc()).limit(PAGE + 1))
    return [InvitationView(*row) for row in rows]


async def invitation(session: Session, invitation_id: int) -> InvitationView:
    row = (await session.execute(_INVITATION.where(Invitation.id == invitation_id))).one_or_none()
    if row is None:
        raise NotFound
    return InvitationView(*row)


async def came_by(session: Session, account_id: int) -> InvitationView | None:
    """The invitation by which somebody came."""
    theirs = _INVITATION.join(InvitationUse, InvitationUse.invitation_id == Invitation.id)
    row = (
        await session.execute(theirs.where(InvitationUse.account_id == account_id))
    ).one_or_none()
    return InvitationView(*row) if row else None


async def who_came(session: Session, invitation_ids: list[int]) -> dict[int, list[tuple[int, str]]]:
    """Ids and names of those who came, by invitation, the first first."""
    uses = (
        select(InvitationUse.invitation_id, Account.id, Account.name)
        .join(Account, Account.id == InvitationUse.account_id)
        .where(InvitationUse.invitation_id.in_(invitation_ids), Account.suspended_at.is_(None))
        .order_by(InvitationUse.account_id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for invitation_id, account_id, name in await session.execute(uses):
        found.setdefault(invitation_id, []).append((account_id, name))
    return found


async def applications(session: Session, *, after: int | None = None) -> list[ApplicationView]:
    """Those that wait, the oldest first, one more than a page."""
    page = _APPLICATION.where(Application.id > (after or 0))
    rows = await session.execute(page.order_by(Application.id).limit(PAGE + 1))
    return [ApplicationView(*row) for row in rows]


async def waiting_password(session: Session, login_key: str) -> str | None:
    """Its hash, of who asked with that name or address and waits; the first of several."""
    named = Application.email_key if "@" in login_key else func.lower(Application.name)
    asked = select(Application.password_hash).where(WAITS, named == login_key)
    return await session.scalar(asked.order_by(Application.id).limit(1))


async def application(session: Session, application_id: int) -> ApplicationView:
    row = (
        await session.execute(_APPLICATION.where(Application.id == application_id))
    ).one_or_none()
    if row is None:
        raise NotFound(DECIDED)
    return ApplicationView(*row)
