"""Two questions of those who keep the site up.

``/healthz``: is this process well?  503 while the database is away or a loop has died; a process
that stays so for minutes is to be started again.  ``/readyz``: may it get requests?  503 while it
drains, while the database is away or too old, and before the live feed stands.

A database that can be read but not written (locked, disk full) leaves both at 200: pages go on,
forms are answered 503 one by one, and taking every process out of traffic would help nobody.
"""

from __future__ import annotations

import asyncio

from quart import Blueprint, ResponseReturnValue, current_app, jsonify

from microblog.kernel import events, schema
from microblog.kernel.db import FAULTS
from microblog.mail import queries as mail
from microblog.site import site
from microblog.web import client
from microblog.web.access import public
from microblog.web.feed import Feed

pages = Blueprint("health", __name__)

PATIENCE = 3.0  # seconds for the database; probes wait about five
NO_ANSWER: tuple[type[Exception], ...] = (*FAULTS, TimeoutError)

DRAINING = "The process is stopping."
NOT_STARTED = "The live feed has not started."
AWAY = "The database does not answer."
TOO_OLD = "The database has an older schema than this version. Run: microblog migrate"


@pages.get("/healthz")
@public
async def healthz() -> ResponseReturnValue:
    here = site()
    checks = {name: pulse.alive for name, pulse in here.pulses.items()}
    notices = [str(notice) for notice in here.notices()]
    facts: dict[str, object] = {"live_readers": len(here.hub), "notices": notices}
    checks["database"] = await _look(facts)
    well = all(checks.values())
    said = {"status": "ok" if well else "failing", "checks": checks}
    # The rest is for the operator: a mail server's refusal can hold an account's name.
    if client.is_doctor():
        facts["came"] = client.as_it_came()
    shows_all = client.is_here() or client.is_doctor()
    return jsonify(said | facts if shows_all else said), 200 if well else 503


@pages.get("/readyz")
@public
async def readyz() -> ResponseReturnValue:
    feed: Feed = current_app.extensions["feed"]
    reasons = [DRAINING] if site().hub.draining else []
    if not feed.started:
        reasons.append(NOT_STARTED)
    if trouble := await _trouble():
        reasons.append(trouble)
    facts = {"status": "not ready" if reasons else "ready", "reasons": reasons}
    return jsonify(facts), 503 if reasons else 200


async def _look(facts: dict[str, object]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE), site().db.reading() as session:
            facts["position"] = str(await events.present(session))
            facts["mail"] = await mail.queue_depth(session)
    except NO_ANSWER:
        return False
    return True


async def _trouble() -> str | None:
    """What keeps the database from being used."""
    try:
        async with asyncio.timeout(PATIENCE), site().db.reading() as session:
            return None if await schema.serves(session) else TOO_OLD
    except NO_ANSWER:
        return AWAY
