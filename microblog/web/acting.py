"""A transaction of somebody who is signed in, when it is its turn and not only when they asked.

Who asks is found out when a request comes.  Until it may write, its login session may have been
ended, perhaps by the owner of the account, who has seen a thief: what opens the account later (a
passkey, an address, a way in through others) must not begin then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from microblog.kernel.model import Session
from microblog.signin import actions as signin
from microblog.site import me, site


@asynccontextmanager
async def writing_as_me() -> AsyncIterator[Session]:
    """Raises `Forbidden` when the login session that asks has ended meanwhile."""
    async with site().db.writing() as session:
        await signin.require_open(session, me().session_id)
        yield session
