"""Pages of Facebook, through Graph: access that lasts until it is taken back, and errors that are
told by a number in the body rather than by the status."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

from microblog.crossposts.answers import (
    BUSY,
    CONNECT,
    DUPLICATE,
    REFUSED,
    STALE,
    UNKNOWN,
    Answer,
    done,
    later,
    refused,
)
from microblog.crossposts.keys import Keys
from microblog.crossposts.wire import ID, Reply, ask
from microblog.outbound.client import Outbound
from microblog.providers import Provider

_STALE = frozenset({102, 190, 463, 467})
_BUSY = frozenset({4, 17, 32, 341, 613, 80001})
_TROUBLE = frozenset({1, 2})
_DUPLICATE = 506
_NOT_THERE = (100, 33)  # code and subcode: deleted by hand, say


@dataclass(frozen=True, slots=True)
class Facebook:
    provider: Provider
    outbound: Outbound

    async def post(self, keys: Keys, place: str, body: str) -> Answer:
        url = f"{self.provider.api_url}/{place}/feed?{self._proof(keys)}"
        reply = await ask(
            self.outbound, "POST", url, token=keys.access, form={"message": body}
        )  # fmt: skip
        if not reply.is_fine:
            return _refusal(reply)
        found = reply.facts.get("id")
        return done(found) if isinstance(found, str) and ID.fullmatch(found) else UNKNOWN

    async def delete(self, keys: Keys, remote_id: str) -> Answer:
        url = f"{self.provider.api_url}/{remote_id}?{self._proof(keys)}"
        reply = await ask(self.outbound, "DELETE", url, token=keys.access)
        error = reply.part("error")
        is_gone = (error.get("code"), error.get("error_subcode")) == _NOT_THERE
        if is_gone or reply.facts.get("success") is True:
            return done()
        return UNKNOWN if reply.is_fine else _refusal(reply)

    async def renewed(self, _keys: Keys) -> Keys | Answer:
        """There is no such thing for a Page."""
        return STALE

    def url(self, remote_id: str) -> str:
        return f"{self.provider.site_url}/{remote_id}"

    def place_url(self, place: str) -> str:
        return f"{self.provider.site_url}/{place}"

    def _proof(self, keys: Keys) -> str:
        secret = self.provider.client_secret.encode()
        proof = hmac.digest(secret, keys.access.encode(), "sha256").hex()
        return urlencode({"appsecret_proof": proof})


def _refusal(reply: Reply) -> Answer:
    error = reply.part("error")
    code = error.get("code")
    if code in _STALE:
        return STALE
    if code in _BUSY or reply.status == 429:
        return later(BUSY, reply.wait())
    if code in _TROUBLE or error.get("is_transient") is True or reply.is_trouble:
        return later(wait=reply.wait())
    return refused(_reason(code))


def _reason(code: object) -> str:
    if code == _DUPLICATE:
        return DUPLICATE
    is_permission = isinstance(code, int) and (code == 10 or 200 <= code < 300)
    return CONNECT if is_permission else REFUSED
