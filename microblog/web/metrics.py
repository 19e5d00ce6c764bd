"""``/metrics`` for Prometheus: what this process counted, and how its site stands just now.

Off until `MICROBLOG_METRICS_TOKEN` is set.  With several processes each shows its own figures,
marked with its ``worker``; those of the database are the same from all.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from quart import Blueprint, Response, ResponseReturnValue, current_app, request
from werkzeug.exceptions import NotFound

from microblog.kernel import lag, metrics, tokens
from microblog.kernel.clock import now
from microblog.kernel.lag import Lag
from microblog.kernel.model import Session
from microblog.mail import queries as mail
from microblog.site import Site, site
from microblog.web.access import public
from microblog.web.feed import Feed
from microblog.web.health import NO_ANSWER, PATIENCE

pages = Blueprint("metrics", __name__)

Family: TypeAlias = CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily


@pages.get("/metrics")
@public
async def metrics_page() -> ResponseReturnValue:
    token = site().settings.metrics_token
    if not token:
        raise NotFound
    if not tokens.same(request.headers.get("Authorization", ""), f"Bearer {token}"):
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    now_standing = _Taken([*_of_process(site()), *await _of_database()])
    shown = metrics.OfWorker(site().worker, [now_standing])
    return Response(generate_latest(shown), content_type=CONTENT_TYPE_LATEST)


class _Taken:
    def __init__(self, families: list[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _of_process(here: Site) -> list[Family]:
    bus = [_gauge("bus_up", "1 while the broker is there.", here.bus.is_there)] if here.bus else []
    return [_info(), *_sockets(here), *_loops(here), *bus]


def _info() -> Family:
    facts = {"pid": str(os.getpid()), "version": _version(), "python": platform.python_version()}
    return InfoMetricFamily("microblog_process", "Which process this is.", facts)


def _version() -> str:
    try:
        return version("microblog")
    except PackageNotFoundError:  # run from a folder of sources
        return "unknown"


def _sockets(here: Site) -> list[Family]:
    return [
        _gauge("live_sockets", "Open sockets.", len(here.hub)),
        _gauge("live_accounts", "People with an open socket.", here.hub.accounts()),
        _gauge("live_unsent_bytes", "Written and not yet taken by the network.", here.hub.unsent()),
    ]


def _loops(here: Site) -> list[Family]:
    moment = time.monotonic()
    pulses = here.pulses.values()
    return [
        _gauges("loop_alive", "1 while a loop is well.", "loop",
                {pulse.name: float(pulse.alive) for pulse in pulses}),
        _gauges("loop_silence_seconds", "Since a loop last ended a step.", "loop",
                {pulse.name: moment - pulse.beat for pulse in pulses}),
    ]  # fmt: skip


async def _of_database() -> list[Family]:
    """In one reading session; without it when the database does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE), site().db.reading() as session:
            families = [*await _log(session), *await _outbox(session)]
    except NO_ANSWER:
        families = []
    return [*families, _gauge("database_up", "1 if the database answered.", bool(families))]


async def _log(session: Session) -> list[Family]:
    consumers = site().consumers
    behind = await lag.of_consumers(session, consumers)
    feed: Feed = current_app.extensions["feed"]
    behind["live feed"] = await lag.lag(session, feed.subscriber.seen or 0)
    dead = CounterMetricFamily(
        "microblog_dead_letters", "Events a consumer has given up.", labels=["reader"]
    )
    for name, count in (await lag.dead_letters(session, consumers)).items():
        dead.add_metric([name], count)
    return [*_behind(behind), dead]


def _behind(behind: dict[str, Lag]) -> list[Family]:
    return [
        _gauges("log_behind_events", "Events that a reader of the log has still to read.", "reader",
                {name: lag.behind for name, lag in behind.items()}),
        _gauges("log_behind_seconds", "Age of the first event it has still to read.", "reader",
                {name: lag.seconds for name, lag in behind.items()}),
    ]  # fmt: skip


async def _outbox(session: Session) -> list[Family]:
    due = await mail.oldest_due(session)
    late = max(0.0, (now() - due).total_seconds()) if due else 0.0
    return [
        _gauges("mail_queue", "Emails not yet settled.", "state", await mail.queue_depth(session)),
        _gauge("mail_overdue_seconds", "How long the oldest due email has been due.", late),
    ]


def _gauge(name: str, says: str, value: float) -> Family:
    return GaugeMetricFamily(f"microblog_{name}", says, value=value)


def _gauges(name: str, says: str, label: str, values: dict[str, float] | dict[str, int]) -> Family:
    family = GaugeMetricFamily(f"microblog_{name}", says, labels=[label])
    for of, value in values.items():
        family.add_metric([of], value)
    return family
