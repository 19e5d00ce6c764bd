"""How the site lets people in, as pages of sign-up see it."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.accounts.queries import PersonCard
from microblog.admissions import door as doors
from microblog.admissions import invitations
from microblog.admissions.door import Door
from microblog.kernel import tokens
from microblog.kernel.errors import Forbidden
from microblog.kernel.model import Session
from microblog.moderation.permissions import MAY_INVITE
from microblog.site import site, viewer
from microblog.web.languages import translated


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody hears who would like an account, with this invitation or none."""

    turned_away: str = ""  # a sentence; empty: they may go on
    applies: bool = False
    inviter: PersonCard | None = None
    is_over: bool = False  # an invitation was shown that works no longer


def door() -> Door:
    chosen = site().chosen
    return Door(chosen.sign_up, MAY_INVITE[chosen.inviters])


def may_invite() -> bool:
    """Whoever asks."""
    asking, chosen = viewer(), site().chosen
    return asking is not None and asking.role in MAY_INVITE[chosen.inviters]


def invitation_id(code: str) -> int | None:
    return invitations.id_in([_key(secret) for secret in _secrets()], code)


def link(invitation_id: int) -> str:
    """What its maker hands on."""
    code = invitations.code(_key(site().settings.secret_key), invitation_id)
    return f"{site().settings.base_url}/join/{code}"


async def welcome(session: Session, code: str, known_id: int | None = None) -> Welcome:
    """With the `code` of a link, or with an invitation that was shown before."""
    shown = invitation_id(code) if code else known_id
    is_over = bool(code) or known_id is not None
    try:
        found = await doors.admission(session, door(), shown)
    except Forbidden as refusal:
        return Welcome(turned_away=translated(refusal.message), is_over=is_over)
    if found.invitation is None:
        return Welcome(applies=found.applies, is_over=is_over)
    return Welcome(inviter=await invitations.inviter(session, found.invitation))


def _secrets() -> list[str]:
    settings = site().settings
    return [one for one in (settings.secret_key, settings.secret_key_old) if one]


def _key(secret: str) -> bytes:
    return tokens.key_for(secret, "invitation")
