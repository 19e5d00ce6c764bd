"""X, version 2 of its API: access for two hours, renewed with a token that works once."""

from __future__ import annotations

from dataclasses import dataclass

from microblog.crossposts.answers import (
    BUSY,
    DUPLICATE,
    STALE,
    UNKNOWN,
    Answer,
    done,
    later,
    refused,
)
from microblog.crossposts.keys import Keys, expiring
from microblog.crossposts.wire import ID, Reply, ask
from microblog.outbound.client import Outbound
from microblog.providers import Provider

_LIMITED = (402, 429)  # 402: what the operator's plan has in a month is used up


@dataclass(frozen=True, slots=True)
class X:
    provider: Provider
    outbound: Outbound

    async def post(self, keys: Keys, _place: str, body: str) -> Answer:
        url = f"{self.provider.api_url}/2/tweets"
        reply = await ask(self.outbound, "POST", url, token=keys.access, said={"text": body})
        if not reply.is_fine:
            return _refusal(reply)
        found = reply.part("data").get("id")
        return done(found) if isinstance(found, str) and ID.fullmatch(found) else UNKNOWN

    async def delete(self, keys: Keys, remote_id: str) -> Answer:
        url = f"{self.provider.api_url}/2/tweets/{remote_id}"
        reply = await ask(self.outbound, "DELETE", url, token=keys.access)
        if reply.status == 404 or reply.part("data").get("deleted") is True:
            return done()
        return UNKNOWN if reply.is_fine else _refusal(reply)

    async def renewed(self, keys: Keys) -> Keys | Answer:
        """What we had is worthless from then on, whether the answer arrives or not."""
        if not keys.refresh:
            return STALE
        form = {"grant_type": "refresh_token", "refresh_token": keys.refresh}
        mine = (self.provider.client_id, self.provider.client_secret)
        reply = await ask(self.outbound, "POST", self.provider.token_url, secret=mine, form=form)
        access, refresh = reply.facts.get("access_token"), reply.facts.get("refresh_token")
        if reply.is_fine and isinstance(access, str) and isinstance(refresh, str):
            return expiring(Keys(access, refresh), reply.facts.get("expires_in"))
        if reply.is_trouble or reply.status in _LIMITED:
            return later(wait=reply.wait())
        return STALE

    def url(self, remote_id: str) -> str:
        return f"{self.provider.site_url}/i/status/{remote_id}"

    def place_url(self, place: str) -> str:
        return f"{self.provider.site_url}/i/user/{place}"


def _refusal(reply: Reply) -> Answer:
    if reply.status == 401:
        return STALE
    if reply.status in _LIMITED:
        return later(BUSY, reply.wait())
    if reply.is_trouble:
        return later(wait=reply.wait())
    is_duplicate = reply.status == 403 and "duplicate" in str(reply.facts.get("detail")).lower()
    return refused(DUPLICATE) if is_duplicate else refused()
