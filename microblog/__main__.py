"""The commands.  ``microblog --help`` lists them; ``python -m microblog`` is the same."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import getpass
import os
import signal
import socket
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields, replace

from sqlalchemy.exc import SQLAlchemyError

from microblog.app import Machinery, create_app, running
from microblog.demo.cast import cast
from microblog.demo.people import DEMO, DEMO_PASSWORD
from microblog.demo.world import seed
from microblog.kernel import logs, schema
from microblog.kernel.db import Database
from microblog.kernel.errors import DomainError, Invalid
from microblog.kernel.schema import SchemaError
from microblog.live.hub import Hub
from microblog.server import ServeError, serve
from microblog.settings import PREFIX, Settings, SettingsError, is_loopback
from microblog.signin import claims, passwords
from microblog.site import Site
from microblog.web.rendering import resource

HELP = """\
A small, live microblog that a community runs itself.

  microblog dev           the development start: this machine only, mails kept at /dev/mail
  microblog dev --demo    the same with a small world of people who keep posting
  microblog serve         the real thing, behind a proxy that speaks TLS

Settings come from the environment; `microblog settings` lists them.
"""


EXPECTED = (SettingsError, ServeError, SchemaError, DomainError, SQLAlchemyError, OSError)


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(given.run(given))
    except EXPECTED as error:
        print(f"microblog: {_sentence(error)}", file=sys.stderr, flush=True)
        return 1
    return 0


# -- serving ---------------------------------------------------------------------------------


async def dev(given: argparse.Namespace) -> None:
    await _serve(_serving_settings(given, "dev"), with_demo=given.demo)


async def serve_site(given: argparse.Namespace) -> None:
    await _serve(_serving_settings(given, "serve"), with_demo=False)


async def _serve(settings: Settings, *, with_demo: bool) -> None:
    logs.set_up(settings.log_format)
    settings = settings.with_secret_key()
    await _prepared(settings)
    claim = await _in_database(settings, claims.issue_claim)
    if with_demo:
        await _in_demo(settings)
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
    _say("\n".join(lines))


async def work(_given: argparse.Namespace) -> None:
    settings = Settings.from_env(mode="serve")
    settings = _with_address(settings).with_secret_key()
    logs.set_up(settings.log_format)
    await schema.check(settings.url)
    site = Site(settings, Database(settings.url), Hub())
    machinery = Machinery(site)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _say("\n".join(["Working: mail and the event log. Stop with Ctrl+C.", *machinery.notices()]))
    async with running(site, machinery.steps()):
        await stop.wait()
        await machinery.close()
    await site.db.close()


# -- administration --------------------------------------------------------------------------


async def migrate(_given: argparse.Namespace) -> None:
    settings = Settings.from_env()
    with _data_dir(settings):
        await schema.upgrade(settings.url)
    _say("The database has the newest schema.")


async def seed_demo(_given: argparse.Namespace) -> None:
    settings = Settings.from_env(mode="dev").with_secret_key()
    await _prepared(settings)
    if not await _in_demo(settings):
        _say("Nothing was changed: somebody here already has a name of the demo world.")
    else:
        _say(f"The demo world is there. Sign in as {DEMO} with the password: {DEMO_PASSWORD}")


async def create_administrator(given: argparse.Namespace) -> None:
    password = sys.stdin.readline().rstrip("\n") if given.password_stdin else getpass.getpass()
    settings = Settings.from_env().with_secret_key()
    await _prepared(settings)
    passwords.check_password(password, given.name, given.email)
    hashed = await passwords.hashed(password)
    database = Database(settings.url)
    async with database.writing() as session:
        await claims.create_administrator(
            session, name=given.name, email=given.email, password_hash=hashed
        )
    await database.close()
    _say(f"{given.name} is an administrator now.")


async def promote(given: argparse.Namespace) -> None:
    settings = Settings.from_env().with_secret_key()
    await _prepared(settings)
    database = Database(settings.url)
    async with database.writing() as session:
        await claims.promote(session, given.name)
    await database.close()
    _say(f"{given.name} is an administrator now.")


async def list_settings(_given: argparse.Namespace) -> None:
    defaults = Settings()
    for variable, name in Settings.variables().items():
        says = next(f.metadata["says"] for f in fields(Settings) if f.name == name)
        _say(f"{variable}  (default: {getattr(defaults, name) or 'empty'})\n    {says}")


# -- what they share -------------------------------------------------------------------------


def _serving_settings(given: argparse.Namespace, mode: str) -> Settings:
    settings = Settings.from_env(mode=mode)
    return _with_address(replace(settings, bind=given.bind) if given.bind else settings)


def _with_address(settings: Settings) -> Settings:
    """Settle what is bound and, unless it is set, the BASE_URL that follows from it."""
    bind = settings.bind or _configured_bind()
    host, port = _host_and_port(bind)
    if port == 0:
        port = _free_port(host)
        bind = f"{host}:{port}"
    if settings.is_dev and not is_loopback(host):
        raise SettingsError(
            f"microblog dev serves this machine only, not {host}. Use microblog serve."
        )
    if not settings.base_url and not is_loopback(host):
        raise SettingsError(
            f"Set MICROBLOG_BASE_URL to the address people use, since {host} is bound."
        )
    if settings.limits == "off" and not is_loopback(host):
        raise SettingsError(
            "MICROBLOG_LIMITS=off is for tests on this machine; it is refused here."
        )
    base_url = settings.base_url or f"http://{host}:{port}"
    return replace(settings, bind=bind, base_url=base_url)


def _configured_bind() -> str:
    bind = tomllib.loads(resource("hypercorn.toml").read_text()).get("bind", "127.0.0.1:8000")
    return str(bind[0] if isinstance(bind, list) else bind)


def _host_and_port(bind: str) -> tuple[str, int]:
    host, colon, port = bind.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise SettingsError(f"Cannot bind {bind!r}: write host:port, such as 127.0.0.1:8000.")
    return host, int(port)


def _free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((host.strip("[]"), 0))
        return int(probe.getsockname()[1])


async def _prepared(settings: Settings) -> None:
    """A database of the newest schema: an SQLite file is brought to it, a server must have it."""
    with _data_dir(settings):
        await (schema.upgrade if settings.url.startswith("sqlite") else schema.check)(settings.url)


@contextmanager
def _data_dir(settings: Settings) -> Iterator[None]:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (settings.data_dir / "media").mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError(f"Cannot write {settings.data_dir}: {error.strerror}.") from error
    if not os.access(settings.data_dir, os.W_OK):
        raise SettingsError(f"Cannot write {settings.data_dir}: permission denied.")
    yield


async def _in_database(
    settings: Settings, work: Callable[..., Awaitable[str | None]]
) -> str | None:
    database = Database(settings.url)
    try:
        async with database.writing() as session:
            return await work(session)
    finally:
        await database.close()


async def _in_demo(settings: Settings) -> bool:
    database = Database(settings.url)
    try:
        return await seed(database, settings)
    finally:
        await database.close()


@asynccontextmanager
async def _playing(site: Site, settings: Settings) -> AsyncIterator[None]:
    task = asyncio.ensure_future(cast(site.db, settings))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _sentence(error: BaseException) -> str:
    """What went wrong, in one line."""
    match error:
        case Invalid(errors=errors):
            said = " ".join(message % values for message, values in errors.values())
        case DomainError(message=message, values=values):
            said = message % values
        case SQLAlchemyError():
            said = f"The database does not answer: {getattr(error, 'orig', None) or error}"
        case OSError(strerror=str(why)):
            said = f"{why}: {error.filename}" if error.filename else why
        case _:
            said = str(error)
    return said


def _say(text: str) -> None:
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "microblog", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, says: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=says, description=says)
        made.set_defaults(run=run)
        return made

    listen = f"listen here (beats {PREFIX}BIND and hypercorn.toml)"
    start = command(
        "dev", dev, "Start for development: this machine only, mails kept at /dev/mail."
    )
    start.add_argument("--demo", action="store_true", help="with people who keep posting")
    real = command("serve", serve_site, "Serve the site. SIGTERM drains and stops it.")
    for serving in (start, real):
        serving.add_argument("--bind", metavar="HOST:PORT", help=listen)
    command("worker", work, "Send mail and follow the event log, without serving pages.")
    command("migrate", migrate, "Bring the database to the newest schema.")
    command("seed", seed_demo, "Fill the database with the demo world (twice changes nothing).")
    command("settings", list_settings, "List every setting with its default.")
    admin = command("admin", None, "Make administrators.").add_subparsers(required=True)
    create = admin.add_parser("create", help="a new account that is an administrator")
    create.add_argument("name", metavar="NAME")
    create.add_argument("email", metavar="EMAIL")
    create.add_argument(
        "--password-stdin", action="store_true", help="read the password from stdin"
    )
    create.set_defaults(run=create_administrator)
    promotion = admin.add_parser(
        "promote", help="make somebody who has an account an administrator"
    )
    promotion.add_argument("name", metavar="NAME")
    promotion.set_defaults(run=promote)
    return parser


if __name__ == "__main__":
    sys.exit(main())
