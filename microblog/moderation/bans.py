"""Banning names, domains and ranges of addresses, and taking it back; both stand in the log."""

from __future__ import annotations

import ipaddress

from sqlalchemy import func, select

from microblog.accounts import bans
from microblog.accounts.model import Ban
from microblog.kernel.errors import N_, Conflict, Invalid, NotFound
from microblog.kernel.model import Session
from microblog.moderation import actions
from microblog.moderation.model import Entry

THERE = N_("This is banned already.")
FULL = N_("There are too many of these. Take some back first.")
YOURS = N_("You are in this range yourself.")


async def ban(session: Session, actor_id: int, kind: str, value: str, *, address: str) -> None:
    """`address` is where the administrator is, who must not shut themselves out."""
    await actions.acting(session, actor_id, "ban")
    value = bans.checked(kind, value)
    if kind == "network" and _is_in(address, value):
        raise Invalid("value", YOURS)
    if await session.scalar(select(Ban.id).where(Ban.kind == kind, Ban.value == value)):
        raise Conflict("value", THERE)
    count = select(func.count()).select_from(Ban).where(Ban.kind == kind)
    if (await session.scalar(count) or 0) >= bans.MOST:
        raise Invalid("value", FULL)
    session.add(Ban(kind=kind, value=value))
    _note(session, "ban", actor_id, before={}, after={"kind": kind, "value": value})
    await session.flush()


async def unban(session: Session, actor_id: int, ban_id: int) -> None:
    await actions.acting(session, actor_id, "ban")
    found = await session.get(Ban, ban_id)
    if found is None:
        raise NotFound
    told = {"kind": found.kind, "value": found.value}
    await session.delete(found)
    _note(session, "unban", actor_id, before=told, after={})
    await session.flush()


def _note(
    session: Session, act: str, actor_id: int, *, before: dict[str, str], after: dict[str, str]
) -> None:
    session.add(Entry(actor_id=actor_id, act=act, before=before, after=after, is_public=False))


def _is_in(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False
