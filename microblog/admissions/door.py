"""Whether somebody who signs up comes in, applies, or is turned away."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.admissions import invitations
from microblog.admissions.model import Invitation
from microblog.kernel.errors import N_, Forbidden
from microblog.kernel.model import Session

CLOSED = N_("No new accounts are taken at present.")
BY_INVITATION = N_("New accounts are by invitation: ask somebody who is here for a link.")


@dataclass(frozen=True, slots=True)
class Door:
    """How the site stands: its sign-up mode, and the roles of those whose invitations count."""

    mode: str
    inviters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """What signing up comes to: an account at once, by an invitation or not; or an application."""

    applies: bool = False
    invitation: Invitation | None = None


async def admission(session: Session, door: Door, invitation_id: int | None) -> Admission:
    """Raises `Forbidden` where nobody comes in like that.

    An invitation that no longer works is none; in a writing block it goes on working until the end.
    """
    if door.mode == "closed":
        raise Forbidden(CLOSED)
    found = None
    if invitation_id is not None:
        found = await invitations.working(session, invitation_id, door.inviters)
    if found is None and door.mode == "invitation":
        raise Forbidden(BY_INVITATION)
    return Admission(applies=found is None and door.mode == "approval", invitation=found)
