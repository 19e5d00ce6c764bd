"""``copy``: a site moves from SQLite to PostgreSQL, or back, with all it has."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

from microblog.commands.databases import (
    holds_a_site,
    in_use,
    must_exist,
    opened,
    same,
    shown,
)
from microblog.commands.progress import Bar
from microblog.commands.starting import Command, data_dir, say
from microblog.kernel import schema, transfer
from microblog.kernel.postgresql import faults_told
from microblog.kernel.transfer import Sums, TransferError
from microblog.settings import Settings

RUNNING = """\
The site is running. Until this ends nothing can be written there, and what is written afterwards \
is not in the copy: better stop it first."""

NEW = "Make a new database, or move that file away."


def add(command: Command) -> None:
    copy = command("copy", copy_site, "Copy the site's database into an empty one, and verify it.")
    copy.add_argument(
        "--to", metavar="URL", required=True,
        help="postgresql://user:password@host/name, or sqlite+aiosqlite:////path/to/file",
    )  # fmt: skip


async def copy_site(given: argparse.Namespace) -> None:
    here = Settings.from_env()
    there = replace(here, database_url=given.to).checked()
    if same(there.url, here.url):
        raise TransferError("That is the database the site has now.")
    must_exist(here.url)
    with data_dir(here):
        async with faults_told():
            await schema.check(here.url)
            await _prepare(there.url)
    if await in_use(here.url):
        say(RUNNING)
    began = time.monotonic()
    copied = await _copied(here.url, there.url)
    say(_report(copied, time.monotonic() - began))
    say(_next(here, there))


async def _prepare(target: str) -> None:
    """Of an older version's site, which will be refused, nothing may be changed first."""
    if await schema.is_older(target):
        raise TransferError(f"{shown(target)} is of an older version. {NEW}")
    await schema.upgrade(target)


async def _copied(source: str, target: str) -> Sums:
    """In one transaction: cut off half-way, nothing has come to be."""
    bar = Bar()
    async with (
        opened(source) as here,
        opened(target) as there,
        transfer.held_still(here) as old,
        there.writing() as new,
    ):
        if taken := holds_a_site(await transfer.filled(new)):
            raise TransferError(f"{shown(target)} is not empty ({', '.join(taken)}). {NEW}")
        copied = await transfer.replace(old, new, bar)
    bar.end()
    return copied


def _report(copied: Sums, seconds: float) -> str:
    lines = [f"  {name:<20} {each.rows:>12,}" for name, each in copied.items() if each.rows]
    rows = sum(each.rows for each in copied.values())
    lines.append(f"Copied {rows:,} rows in {seconds:.1f} s; counts and checksums agree.")
    return "\n".join(lines)


def _next(here: Settings, there: Settings) -> str:
    if there.url == replace(here, database_url="").url:
        setting = "remove MICROBLOG_DATABASE_URL"
    else:
        setting = f"set MICROBLOG_DATABASE_URL={shown(there.url)}"
        setting += " (with the password)" if "***" in setting else ""
    return (
        f"Now stop the site, {setting}, and start it. Open pages go on where they were."
        f" Media and the secret key stay in {here.data_dir}."
    )
