"""Where somebody is led who has shown who they are and may not come in: back from leaving, or to
what was done to their account and why, and what can be said against it.  Not everybody has an
address for the mail that tells it."""

from __future__ import annotations

from microblog.departures import actions as departures
from microblog.kernel.model import Session
from microblog.moderation import appeals
from microblog.site import site


async def elsewhere(session: Session, account_id: int) -> str | None:
    """None for who may come in, and for those of whose suspension nothing is written down."""
    if token := await departures.way_back(session, account_id):
        return f"/leave/undo/{token}"
    entry_id = await appeals.suspension_of(session, account_id)
    return f"/appeals/{appeals.token(site().appeal_key, entry_id)}" if entry_id else None
