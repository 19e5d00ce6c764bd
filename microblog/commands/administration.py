"""``migrate``, ``seed``, ``settings`` and ``admin``: done once, then over."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import fields

from microblog.commands.starting import Command, in_demo, prepared, say
from microblog.demo.people import DEMO, DEMO_PASSWORD
from microblog.kernel.db import Database
from microblog.kernel.errors import NotFound
from microblog.providers import PATTERNS
from microblog.settings import Settings
from microblog.signin import claims, passwords


def add(command: Command) -> None:
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


async def migrate(_given: argparse.Namespace) -> None:
    await prepared(Settings.from_env())
    say("The database has the newest schema.")


async def seed_demo(_given: argparse.Namespace) -> None:
    settings = Settings.from_env(mode="dev").with_secret_key()
    await prepared(settings)
    if not await in_demo(settings):
        say("Nothing was changed: somebody here already has a name of the demo world.")
    else:
        say(f"The demo world is there. Sign in as {DEMO} with the password: {DEMO_PASSWORD}")


async def create_administrator(given: argparse.Namespace) -> None:
    password = sys.stdin.readline().rstrip("\n") if given.password_stdin else getpass.getpass()
    settings = Settings.from_env().with_secret_key()
    await prepared(settings)
    passwords.check_password(password, given.name, given.email)
    hashed = await passwords.hashed(password)
    database = Database(settings.url)
    async with database.writing() as session:
        await claims.create_administrator(
            session, name=given.name, email=given.email, password_hash=hashed
        )
    await database.close()
    say(f"{given.name} is an administrator now.")


async def promote(given: argparse.Namespace) -> None:
    settings = Settings.from_env().with_secret_key()
    await prepared(settings)
    database = Database(settings.url)
    try:
        async with database.writing() as session:
            await claims.promote(session, given.name)
    except NotFound:
        raise NotFound("Nobody here is called %(name)s.", name=given.name) from None
    finally:
        await database.close()
    say(f"{given.name} is an administrator now.")


async def list_settings(_given: argparse.Namespace) -> None:
    defaults = Settings()
    for variable, name in Settings.variables().items():
        says = next(f.metadata["says"] for f in fields(Settings) if f.name == name)
        say(f"{variable}  (default: {_written(getattr(defaults, name))})\n    {says}")
    for pattern, says in PATTERNS.items():
        say(f"{pattern}  (default: empty)\n    {says}")


def _written(default: object) -> str:
    """As one would write it into the environment."""
    return f"{default:g}" if isinstance(default, float) else str(default) or "empty"
