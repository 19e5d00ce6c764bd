"""``/healthz``: well only if the database answers and every loop is really alive."""

from __future__ import annotations

from quart import Blueprint, ResponseReturnValue, jsonify

from microblog.kernel import events
from microblog.kernel.db import FAULTS
from microblog.mail import queries as mail
from microblog.site import site
from microblog.web.access import public

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@public
async def healthz() -> ResponseReturnValue:
    here = site()
    checks = {name: pulse.alive for name, pulse in here.pulses.items()}
    facts: dict[str, object] = {"live_readers": len(here.hub)}
    checks["database"] = await _look(facts)
    well = all(checks.values())
    facts |= {
        "status": "ok" if well else "failing",
        "checks": checks,
        "notices": here.notices(),
    }
    return jsonify(facts), 200 if well else 503


async def _look(facts: dict[str, object]) -> bool:
    try:
        async with site().db.reading() as session:
            facts["position"] = str(await events.present(session))
            facts["mail"] = await mail.queue_depth(session)
    except FAULTS:
        return False
    return True
