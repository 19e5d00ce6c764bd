"""``dev``, ``serve`` and ``worker``: the commands that stay."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from quart import Quart

from microblog.app import Machinery, create_app, inhabited, routed
from microblog.commands.scratch import scratch
from microblog.commands.starting import (
    Command,
    in_database,
    in_demo,
    is_prepared,
    prepared,
    say,
    serving_settings,
    with_address,
)
from microblog.demo.cast import cast
from microblog.demo.people import DEMO, DEMO_PASSWORD
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.kernel import logs, schema
from microblog.kernel.db import Database
from microblog.kernel.events import Entry
from microblog.kernel.model import Session
from microblog.kernel.postgresql import faults_told
from microblog.kernel.readers import Subscriber
from microblog.kernel.schema import SchemaError
from microblog.kernel.shared import Shared
from microblog.live.hub import Hub
from microblog.running import running
from microblog.server import Place, listen, serve
from microblog.settings import PREFIX, Settings
from microblog.signin import claims
from microblog.site import Site
from microblog.supervisor import supervise
from microblog.web import limits
from microblog.web.feed import settings_changed
from microblog.web.rendering import resource, warm

log = logging.getLogger(__name__)


def add(command: Command) -> None:
    start = command(
        "dev", dev, "Start for development: this machine only, mails kept at /dev/mail."
    )
    start.add_argument("--demo", action="store_true", help="with people who keep posting")
    real = command("serve", serve_site, "Serve the site. SIGTERM drains and stops it.")
    where = f"listen here (beats {PREFIX}BIND and hypercorn.toml)"
    for serving in (start, real):
        serving.add_argument("--bind", metavar="HOST:PORT", help=where)
    real.add_argument(
        "--workers", type=int, metavar="N", help="serve with N processes (beats hypercorn.toml)"
    )
    command("worker", work, "Send mail and follow the event log, without serving pages.")


async def dev(given: argparse.Namespace) -> None:
    settings, place = _opened(given, "dev", workers=1)
    await prepared(settings)
    await _serve_alone(settings, place, with_demo=given.demo)


def serve_site(given: argparse.Namespace) -> None:
    settings, place = _opened(given, "serve", workers=given.workers)
    _migrate_apart(settings, place.close)
    if place.workers == 1:
        asyncio.run(_serve_alone(settings, place))
        return
    claim = asyncio.run(in_database(settings, claims.issue_claim))
    asyncio.run(warm(rest=0.0))  # once, for all of them
    app = routed(settings)

    def ready(_urls: list[str]) -> None:
        _announce(settings, _welcome(settings, claim))

    with scratch(Path(tempfile.gettempdir())) as folder:

        def work(number: int, tell: Callable[[], None]) -> None:
            asyncio.run(_serve_as_worker(app, settings, place, folder / "limits.db", number, tell))

        supervise(place, work, on_ready=ready)


def _migrate_apart(settings: Settings, close: Callable[[], None]) -> None:
    """In a process that ends: the 10 MiB that are loaded for it would stay in each that serves.
    Why it failed, that process has said."""
    if asyncio.run(is_prepared(settings)):
        return
    if pid := os.fork():
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if ended < 0:
            raise SchemaError(f"The migration was ended by {signal.Signals(-ended).name}.")
        if ended:
            sys.exit(ended)
        return
    close()  # should we be killed, it must not hold the port until it is through
    asyncio.run(prepared(settings))
    os._exit(0)


def _opened(given: argparse.Namespace, mode: str, *, workers: int | None) -> tuple[Settings, Place]:
    settings = serving_settings(given, mode)
    logs.set_up(settings.log_format)
    settings = settings.with_secret_key()
    return settings, listen(resource("hypercorn.toml"), settings.bind, workers)


async def _serve_alone(settings: Settings, place: Place, *, with_demo: bool = False) -> None:
    claim = await in_database(settings, claims.issue_claim)
    if with_demo:
        await in_demo(settings)
    async with contextlib.AsyncExitStack() as beside:
        if with_demo and not settings.providers:
            there = await beside.enter_async_context(listening(Pretenders()))
            pretend = urlsplit(there).netloc
            settings = replace(settings, providers=providers_at(there), reachable=(pretend,))
        app = create_app(settings)
        site: Site = app.extensions["microblog"]
        if with_demo:
            await beside.enter_async_context(_playing(site, settings))
        welcome = partial(_welcome, settings, claim, with_demo=with_demo)
        await serve(
            app, place, on_drain=site.hub.drain,
            on_ready=lambda _urls: _announce(settings, [*welcome(), *map(str, site.notices())]),
        )  # fmt: skip


async def _serve_as_worker(
    app: Quart,
    settings: Settings,
    place: Place,
    shared: Path,
    number: int,
    tell: Callable[[], None],
) -> None:
    """One of several processes.  Only the first, and whoever replaces it, sends mail and follows
    the log: the others would do no more than wake up and find it done."""
    logs.set_up(settings.log_format, worker=number)
    if number > 0:
        settings = replace(settings, workers_here="off")
    site: Site = inhabited(app, settings).extensions["microblog"]
    site.worker = str(number)
    if settings.limits != "off" and (counted := Shared.opened(shared, number)) is not None:
        limits.share(app, counted)

    def ready(_urls: list[str]) -> None:
        if number == 0:
            _announce(settings, [str(notice) for notice in site.notices()])
        tell()

    await serve(app, place, on_ready=ready, on_drain=site.hub.drain, supervised=True)


def _announce(settings: Settings, lines: list[str]) -> None:
    """Plainly; where programs read the log, as lines of it."""
    for line in lines:
        if settings.log_format == "json":
            log.info("%s", line.strip())
        else:
            say(line)


def _welcome(settings: Settings, claim: str | None, *, with_demo: bool = False) -> list[str]:
    lines = [f"{settings.site_name} is at {settings.base_url}"]
    if settings.is_dev:
        lines.append(f"Mails are kept at {settings.base_url}/dev/mail")
    if with_demo:
        lines.append(f"Sign in to the demo as {DEMO} with the password: {DEMO_PASSWORD}")
    if claim:
        lines.append(
            "There is no administrator yet. Sign in, then open this link, which works once:"
        )
        lines.append(f"  {settings.base_url}/admin/claim/{claim}")
    return lines


async def work(_given: argparse.Namespace) -> None:
    settings = Settings.from_env(mode="serve")
    settings = with_address(settings).with_secret_key()
    logs.set_up(settings.log_format)
    async with faults_told():
        await schema.check(settings.url)
    site = Site(settings, Database(settings.url), Hub())
    machinery = Machinery(site)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    working = "Working: mail and the event log. Stop with Ctrl+C."
    _announce(settings, [working, *map(str, machinery.notices())])
    following = await follow_settings(site)
    steps = machinery.steps() | {"site settings": (following.step, 1.0)}
    async with running(site, steps, wakers=machinery.wakers()):
        await stop.wait()
        await machinery.close()
    await site.db.close()


async def follow_settings(site: Site) -> Subscriber:
    """For a process without pages, whose live feed would do it."""
    following = Subscriber(site.db, partial(_heed, site))
    await following.start()
    async with site.db.reading() as session:
        await site.refresh(session)
    return following


async def _heed(site: Site, session: Session, page: list[Entry]) -> None:
    """Mail goes on with what administrators have set."""
    if settings_changed(page):
        await site.refresh(session)


@asynccontextmanager
async def _playing(site: Site, settings: Settings) -> AsyncIterator[None]:
    task = asyncio.ensure_future(cast(site.db, settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
