"""What it takes to post at a place: at rest it is sealed, and bound to the row it belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from microblog.crossposts.model import Place
from microblog.kernel.clock import now
from microblog.kernel.sealing import Seal, SealBroken

PURPOSE = "crossposts"
MARGIN = timedelta(minutes=1)  # a token that ends within it is renewed first


@dataclass(frozen=True, slots=True)
class Keys:
    access: str
    refresh: str = ""
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return "Keys(…)"

    @property
    def is_old(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now() + MARGIN


def expiring(keys: Keys, seconds: object) -> Keys:
    """As token endpoints say it: in so many seconds."""
    known = isinstance(seconds, int | float) and 0 < seconds < 10**9
    return (
        replace(keys, expires_at=now() + timedelta(seconds=float(str(seconds)))) if known else keys
    )


def put(seal: Seal, place: Place, keys: Keys) -> None:
    written = json.dumps({"access": keys.access, "refresh": keys.refresh}).encode()
    place.sealed, place.expires_at = seal.close(written, _about(place)), keys.expires_at


def taken(seal: Seal, place: Place) -> Keys | None:
    """None if they are gone, or sealed with a key that is."""
    if place.sealed is None:
        return None
    try:
        written = json.loads(seal.open(place.sealed, _about(place)))
    except SealBroken:
        return None
    return Keys(written["access"], written["refresh"], place.expires_at)


def _about(place: Place) -> str:
    return f"place {place.id} of account {place.account_id}"
