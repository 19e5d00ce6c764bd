"""Connecting and disconnecting places, and keeping what it takes to post there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Delete, delete, func, select

from microblog.crossposts import keys as sealed
from microblog.crossposts.keys import Keys
from microblog.crossposts.model import Place
from microblog.crossposts.queue import Work, is_held
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, NotFound
from microblog.kernel.ids import next_id
from microblog.kernel.model import Session
from microblog.kernel.sealing import Seal

MOST = 10  # of one account
TO_CHOOSE = timedelta(minutes=30)
FORGOTTEN = 200
MANY = N_("You have connected ten places. Disconnect one first.")


@dataclass(frozen=True, slots=True)
class Offer:
    """A place as it is known over there, with the keys to it."""

    external_id: str
    shown: str
    keys: Keys


async def connect(
    session: Session, seal: Seal, account_id: int, identity_id: int, kind: str, offers: list[Offer]
) -> bool:
    """Only one: it is connected.  More: they are offered; whether one is still to be chosen.

    Connecting again brings new keys and changes nothing else.
    """
    await session.execute(_offered(account_id, kind))
    is_any_chosen = False
    for offer in offers:
        place = await _place(session, account_id, kind, offer.external_id)
        if place is None:
            place = await _added(session, account_id, kind, offer.external_id)
            place.is_chosen = len(offers) == 1
        place.identity_id, place.shown = identity_id, offer.shown
        sealed.put(seal, place, offer.keys)
        session.add(place)
        await session.flush()
        is_any_chosen = is_any_chosen or place.is_chosen
    return not is_any_chosen


async def choose(session: Session, account_id: int, place_id: int) -> Place:
    """One of those offered; the others are forgotten."""
    place = await _own(session, account_id, place_id)
    place.is_chosen, place.connected_at = True, now()
    await session.flush()
    await session.execute(_offered(account_id, place.kind))
    return place


async def disconnect(session: Session, account_id: int, place_id: int) -> Place:
    place = await _own(session, account_id, place_id)
    await session.delete(place)
    return place


async def place_for(session: Session, work: Work) -> Place | None:
    return await _place(session, work.account_id, work.kind, work.external_id)


async def keep(session: Session, seal: Seal, work: Work, keys: Keys | None) -> None:
    """New keys for the place that is worked for; None: it has to be connected again, unless
    somebody has done so while we were away.  New ones are kept even then: others end the old."""
    place = await place_for(session, work)
    if place is not None and keys is not None:
        sealed.put(seal, place, keys)
    elif place is not None and await is_held(session, work):
        place.sealed = place.expires_at = None


async def forget_offers(session: Session) -> bool:
    """Those that nobody chose: whether there may be more."""
    stale = (Place.is_chosen.is_(False), Place.connected_at <= now() - TO_CHOOSE)
    some = list(await session.scalars(select(Place.id).where(*stale).limit(FORGOTTEN)))
    await session.execute(delete(Place).where(Place.id.in_(some)))
    return bool(some)


async def _added(session: Session, account_id: int, kind: str, external_id: str) -> Place:
    chosen = select(func.count()).where(Place.account_id == account_id, Place.is_chosen)
    if (await session.scalar(chosen) or 0) >= MOST:
        raise Conflict("", MANY)
    place_id = await next_id(session, Place.id)
    return Place(id=place_id, account_id=account_id, kind=kind, external_id=external_id)


async def _own(session: Session, account_id: int, place_id: int) -> Place:
    place = await session.get(Place, place_id)
    if place is None or place.account_id != account_id:
        raise NotFound
    return place


async def _place(session: Session, account_id: int, kind: str, external_id: str) -> Place | None:
    wanted = select(Place).where(
        Place.account_id == account_id, Place.kind == kind, Place.external_id == external_id
    )
    return await session.scalar(wanted)


def _offered(account_id: int, kind: str) -> Delete:
    mine = (Place.account_id == account_id, Place.kind == kind)
    return delete(Place).where(*mine, Place.is_chosen.is_(False))
