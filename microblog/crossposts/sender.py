"""Takes due crossposts where they belong: lease, renew the keys if need be, send, settle.

Nothing that is asked over there happens inside a transaction.  A few are under way at once, so that
one slow site does not hold up the other; never two for one place.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

from microblog.crossposts import keys as sealed
from microblog.crossposts import places, queries, queue
from microblog.crossposts.answers import CONNECT, GONE, Answer, Outcome, later, refused
from microblog.crossposts.facebook import Facebook
from microblog.crossposts.keys import Keys
from microblog.crossposts.model import POST
from microblog.crossposts.queue import LEASE, Work
from microblog.crossposts.wire import unanswered
from microblog.crossposts.x import X
from microblog.kernel.db import FAULTS, Database
from microblog.kernel.model import Session
from microblog.kernel.sealing import Seal
from microblog.mail.waiting import rings
from microblog.mail.watch import Watch
from microblog.outbound.client import Outbound
from microblog.outbound.failures import OutboundFailure
from microblog.providers import Provider

log = logging.getLogger(__name__)

LANES = 4
TRY_AGAIN = 1.0  # seconds, while the database does not take what is known
# Monotonic, and less than a lease lasts with a request under way: a process that was stopped for a
# while (SECURITY R23) sends nothing that may be another's by now.
TRUSTED = LEASE.total_seconds() - 15.0
WATCHED = LEASE.total_seconds()  # a lease of others that has run out, before it is believed


class Site(Protocol):
    """Where posts can be copied to."""

    async def post(self, keys: Keys, place: str, body: str) -> Answer: ...
    async def delete(self, keys: Keys, remote_id: str) -> Answer: ...
    async def renewed(self, keys: Keys) -> Keys | Answer: ...
    def url(self, remote_id: str) -> str: ...
    def place_url(self, place: str) -> str: ...


_SITES: Mapping[str, Callable[[Provider, Outbound], Site]] = {"x": X, "facebook": Facebook}


class CrosspostSender:
    """`step` for `kernel.worker.run`; `stop` before the end."""

    def __init__(
        self,
        db: Database,
        seal: Seal,
        providers: Iterable[Provider],
        outbound: Outbound,
        *,
        owner: str,
        watched: float = WATCHED,
    ) -> None:
        self._db = db
        self._seal = seal
        self._watch = Watch(watched)
        self._sites: Mapping[str, Site] = {
            one.kind: _SITES[one.kind](one, outbound) for one in providers if one.kind in _SITES
        }
        self._owner = f"{owner}-{secrets.token_hex(4)}"
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._stopping = False
        self.beat: Callable[[], None] = lambda: None  # a long step is no dead one

    async def step(self) -> None:
        """Send all that is due."""
        async with self._db.reading() as session:
            if self._stopping or not await queue.is_due(session, self._watch):
                return
        self._at_rest.clear()
        try:
            # Gathered, not grouped: one that fails must not cut the others off in mid-sentence.
            results = await asyncio.gather(
                *(self._lane() for _ in range(LANES)), return_exceptions=True
            )
        finally:
            self._at_rest.set()
        for result in results:
            if result is not None:
                raise result

    async def stop(self, within: float = 5.0) -> None:
        """Begin no more, and let those under way end; what is cut then is in doubt."""
        self._stopping = True
        await rings(self._at_rest, within)

    async def _lane(self) -> None:
        while (work := await self._taken()) is not None:
            self.beat()
            answer = await self._carry_out(work, time.monotonic() + TRUSTED)
            if answer is not None:
                await self._settle(work, answer)

    async def _taken(self) -> Work | None:
        if self._stopping:
            return None
        async with self._db.writing() as session:
            return await queue.take(session, self._owner, self._watch)

    async def _carry_out(self, work: Work, until: float) -> Answer | None:
        """None: it is not ours any more."""
        async with self._db.reading() as session:
            place = await places.place_for(session, work)
            stands = work.task != POST or await queries.is_public(session, work.post_id)
        site = self._sites.get(work.kind)
        keys = sealed.taken(self._seal, place) if place is not None else None
        if not stands:
            return GONE
        if site is None or keys is None:
            return refused(CONNECT)
        if keys.is_old:
            renewed = await self._renewed(work, site, keys)
            if isinstance(renewed, Answer):
                return renewed
            keys = renewed
        return await self._sent(work, site, keys, until)

    async def _sent(self, work: Work, site: Site, keys: Keys, until: float) -> Answer | None:
        """With the keys renewed once if they are not taken."""
        answer = await self._asked(work, site, keys, until)
        if answer is None or answer.outcome is not Outcome.STALE:
            return answer
        renewed = await self._renewed(work, site, keys)
        if isinstance(renewed, Answer):
            return renewed
        answer = await self._asked(work, site, renewed, until)
        if answer is not None and answer.outcome is Outcome.STALE:
            await self._keep(work, None)
        return answer

    async def _asked(self, work: Work, site: Site, keys: Keys, until: float) -> Answer | None:
        async with self._db.writing() as session:
            if not await queue.begin_sending(session, work):
                return None
        if time.monotonic() > until:
            return later()
        if work.task == POST:
            request = site.post(keys, work.external_id, work.body)
        else:
            request = site.delete(keys, work.remote_id)
        try:
            return await request
        except OutboundFailure as failure:
            log.info("crosspost %d to %s: %s", work.id, work.kind, failure)
            return unanswered(failure)

    async def _renewed(self, work: Work, site: Site, keys: Keys) -> Keys | Answer:
        """Kept before they are used: the old ones open nothing any more."""
        try:
            renewed = await site.renewed(keys)
        except OutboundFailure as failure:
            log.info("keys for crosspost %d to %s: %s", work.id, work.kind, failure)
            return later()
        if isinstance(renewed, Keys):
            await self._keep(work, renewed)
        elif renewed.outcome is Outcome.STALE:
            await self._keep(work, None)
        return renewed

    async def _keep(self, work: Work, keys: Keys | None) -> None:
        await self._insist(partial(places.keep, seal=self._seal, work=work, keys=keys))

    async def _settle(self, work: Work, answer: Answer) -> None:
        url = self._url(work, answer)
        await self._insist(partial(queue.settle, work=work, answer=answer, url=url))

    async def _insist(self, write: Callable[[Session], Awaitable[None]]) -> None:
        """What is known is not to be lost: a database that is away is waited for."""
        until = time.monotonic() + TRUSTED
        while True:
            try:
                async with self._db.writing() as session:
                    return await write(session)
            except FAULTS:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(TRY_AGAIN)

    def _url(self, work: Work, answer: Answer) -> str:
        """Where its author can look: at it, or at the place."""
        site = self._sites.get(work.kind)
        if site is None or work.task != POST:
            return ""
        if answer.remote_id:
            return site.url(answer.remote_id)
        return site.place_url(work.external_id)
