"""The cast: keeps the seeded world moving, a few acts a minute, until it is cancelled.

It acts as people do, through the same actions, so everything that follows from a post follows: live
pages, notifications, mail.  It plays only accounts that nobody can sign in to.
"""

from __future__ import annotations

import asyncio
import logging
from random import Random

from sqlalchemy import select

from microblog.accounts.model import Account
from microblog.demo import people
from microblog.demo.acts import Stage
from microblog.demo.people import Person
from microblog.demo.words import Words
from microblog.kernel.db import Database
from microblog.kernel.worker import Pulse, run
from microblog.settings import Settings

log = logging.getLogger(__name__)

PAUSE = (2.0, 6.0)  # seconds between two acts


async def cast(db: Database, settings: Settings) -> None:
    """Play until cancelled.  Without a seeded world there is nobody to play."""
    chance = Random()  # noqa: S311 - a play, no secret
    players = await _players(db)
    if not players:
        log.warning("the demo world is not here, so its cast has nothing to do")
        return
    stage = Stage(db, players, Words(chance), chance, settings.post_limit)
    pulse = Pulse("cast", idle=PAUSE[0])

    async def act() -> None:
        pulse.idle = chance.uniform(*PAUSE)
        await stage.act()

    await run(pulse, act, asyncio.Event())


async def _players(db: Database) -> dict[int, Person]:
    """By account id.  Never one with a password or an address: it would be a real person's."""
    known = {person.name: person for person in people.cast()}
    nobodys = select(Account.id, Account.name).where(
        Account.name.in_(known), Account.host == "",
        Account.password_hash.is_(None), Account.email.is_(None),
    )  # fmt: skip
    async with db.reading() as session:
        return {account_id: known[name] for account_id, name in await session.execute(nobodys)}
