"""Where somebody is led who has shown who they are and may not come in: back from leaving, or to
what was done to their account and why, and what can be said against it.  Not everybody has an
address for the mail that tells it.  Whose account has a second factor shows that, too, before."""

from __future__ import annotations

from microblog.accounts import queries as accounts
from microblog.departures import actions as departures
from microblog.kernel.model import Session
from microblog.moderation import appeals
from microblog.signin import entrance, two_factor
from microblog.site import site
from microblog.web import entering


async def elsewhere(session: Session, account_id: int, *, proven_twice: bool = False) -> str | None:
    """None for who may come in, and for those of whose suspension nothing is written down."""
    if (await accounts.account(session, account_id)).suspended_at is None:
        return None
    if not proven_twice and await two_factor.is_on(session, account_id):
        entering.set_step(await entrance.begin_step(session, account_id))
        return entering.SECOND_STEP
    if token := await departures.way_back(session, account_id):
        return f"/leave/undo/{token}"
    entry_id = await appeals.suspension_of(session, account_id)
    return f"/appeals/{appeals.token(site().appeal_key, entry_id)}" if entry_id else None
