"""``dev``, ``serve`` and ``worker``: the commands that stay."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from microblog.app import Machinery, create_app
from microblog.commands.starting import (
    Command,
    in_database,
    in_demo,
    prepared,
    say,
    serving_settings,
    with_address,
)
from microblog.demo.cast import cast
from microblog.demo.people import DEMO, DEMO_PASSWORD
from microblog.kernel import logs, schema
from microblog.kernel.db import Database
from microblog.live.hub import Hub
from microblog.running import running
from microblog.server import serve
from microblog.settings import PREFIX, Settings
from microblog.signin import claims
from microblog.site import Site
from microblog.web.rendering import resource


def add(command: Command) -> None:
    start = command(
        "dev", dev, "Start for development: this machine only, mails kept at /dev/mail."
    )
    start.add_argument("--demo", action="store_true", help="with people who keep posting")
    real = command("serve", serve_site, "Serve the site. SIGTERM drains and stops it.")
    listen = f"listen here (beats {PREFIX}BIND and hypercorn.toml)"
    for serving in (start, real):
        serving.add_argument("--bind", metavar="HOST:PORT", help=listen)
    command("worker", work, "Send mail and follow the event log, without serving pages.")


async def dev(given: argparse.Namespace) -> None:
    await _serve(serving_settings(given, "dev"), with_demo=given.demo)


async def serve_site(given: argparse.Namespace) -> None:
    await _serve(serving_settings(given, "serve"), with_demo=False)


async def _serve(settings: Settings, *, with_demo: bool) -> None:
    logs.set_up(settings.log_format)
    settings = settings.with_secret_key()
    await prepared(settings)
    claim = await in_database(settings, claims.issue_claim)
    if with_demo:
        await in_demo(settings)
    app = create_app(settings)
    site: Site = app.extensions["microblog"]

    def ready(_urls: list[str]) -> None:
        _welcome(settings, site, claim, with_demo=with_demo)

    async with contextlib.AsyncExitStack() as beside:
        if with_demo:
            await beside.enter_async_context(_playing(site, settings))
        await serve(
            app, settings.bind, config_file=resource("hypercorn.toml"),
            on_ready=ready, on_drain=site.hub.drain,
        )  # fmt: skip


def _welcome(settings: Settings, site: Site, claim: str | None, *, with_demo: bool) -> None:
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
    lines += site.notices()
    say("\n".join(lines))


async def work(_given: argparse.Namespace) -> None:
    settings = Settings.from_env(mode="serve")
    settings = with_address(settings).with_secret_key()
    logs.set_up(settings.log_format)
    await schema.check(settings.url)
    site = Site(settings, Database(settings.url), Hub())
    machinery = Machinery(site)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    say("\n".join(["Working: mail and the event log. Stop with Ctrl+C.", *machinery.notices()]))
    async with running(site, machinery.steps()):
        await stop.wait()
        await machinery.close()
    await site.db.close()


@asynccontextmanager
async def _playing(site: Site, settings: Settings) -> AsyncIterator[None]:
    task = asyncio.ensure_future(cast(site.db, settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
