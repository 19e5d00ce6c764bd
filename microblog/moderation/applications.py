"""Letting people in who asked, or not; and withdrawing the invitations of others.  Every decision
stands in the log; of who was declined nothing stays there."""

from __future__ import annotations

from microblog.accounts import actions as accounts
from microblog.accounts.model import Account
from microblog.admissions import applications, invitations
from microblog.admissions.model import Application
from microblog.identities import actions as identities
from microblog.identities.names import suggested
from microblog.kernel.errors import N_, Conflict
from microblog.kernel.model import Session
from microblog.moderation.actions import acting, checked_reason, involved, note
from microblog.moderation.model import Entry
from microblog.oauth.vouched import Vouched

ACT = "decide_application"
OVERTAKEN = N_("By now they have an account, with the same address or way of signing in. Decline.")


async def approve(session: Session, actor_id: int, application_id: int) -> Account:
    """Under the name they asked for, or that with a number if somebody has taken it since.

    Raises `Conflict` when an account has their address or their identity by now.
    """
    await acting(session, actor_id, ACT)
    asked = await applications.waiting(session, application_id)
    try:
        account = await _begin(session, asked, await suggested(session, asked.name) or asked.name)
    except Conflict as error:
        raise Conflict("", OVERTAKEN) from error
    await applications.approved(session, asked, account.id)
    await note(session, "approve_application", actor_id, account, before={})
    return account


async def decline(session: Session, actor_id: int, application_id: int, *, reason: str) -> None:
    reason = checked_reason(reason)
    await acting(session, actor_id, ACT)
    asked = await applications.waiting(session, application_id)
    await applications.decline(session, asked, reason)
    session.add(
        Entry(
            actor_id=actor_id, act="decline_application", reason=reason, before={}, after={},
            is_public=False,
        )
    )  # fmt: skip
    await session.flush()


async def withdraw_invitation(
    session: Session, actor_id: int, account_id: int, invitation_id: int
) -> None:
    """One that `account_id` made."""
    if actor_id == account_id:
        await invitations.withdraw(session, account_id, invitation_id)
        return
    target = (await involved(session, actor_id, "withdraw_invitation", account_id)).target
    await invitations.withdraw(session, account_id, invitation_id)
    await note(session, "withdraw_invitation", actor_id, target, before={})


async def _begin(session: Session, asked: Application, name: str) -> Account:
    if asked.issuer and asked.subject:
        who = Vouched(asked.issuer, asked.subject, asked.shown, asked.display_name, asked.email)
        return await identities.begin_account(
            session, who, name=name, display_name=asked.display_name,
            language=asked.language, time_zone=asked.time_zone,
        )  # fmt: skip
    return await accounts.create(
        session, name=name, email=asked.email, password_hash=asked.password_hash,
        language=asked.language, time_zone=asked.time_zone,
    )  # fmt: skip
