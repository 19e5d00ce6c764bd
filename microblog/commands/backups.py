"""``backup``: one file with all that makes the site, taken while it runs, and verified."""

from __future__ import annotations

import argparse
import sqlite3
import time
from contextlib import closing
from importlib import metadata
from pathlib import Path

from microblog.commands import archives
from microblog.commands.archives import Manifest
from microblog.commands.databases import must_exist, opened, sqlite_url
from microblog.commands.progress import Bar
from microblog.commands.scratch import scratch
from microblog.commands.starting import Command, say
from microblog.kernel import events, schema, transfer
from microblog.kernel.clock import now
from microblog.kernel.model import Session
from microblog.kernel.transfer import Sums, TransferError
from microblog.settings import Settings


def add(command: Command) -> None:
    backup = command("backup", back_up, "Write a verified backup while the site runs.")
    backup.add_argument("file", metavar="FILE", type=Path, help="a ZIP to be made")
    backup.add_argument("--force", action="store_true", help="replace FILE if it exists")


async def back_up(given: argparse.Namespace) -> None:
    settings, began = Settings.from_env(), time.monotonic()
    _refuse_existing(given.file, force=given.force)
    must_exist(settings.url)
    if not (beside := given.file.absolute().parent).is_dir():
        raise TransferError(f"There is no directory {beside} to write to. Make it first.")
    with scratch(beside) as folder:
        database, made = folder / archives.DATABASE, folder / "backup"
        manifest = await _snapshot(settings.url, database)
        archives.write(made, manifest, database, settings.data_dir)
        if archives.verified(made) != manifest:
            raise TransferError("What was written cannot be read back. Nothing was kept.")
        _refuse_existing(given.file, force=given.force)
        archives.settle(made, given.file.absolute())
    say(_report(given.file, manifest, time.monotonic() - began))


def _refuse_existing(file: Path, *, force: bool) -> None:
    if file.is_dir() or (file.exists() and not force):
        raise TransferError(f"{file} exists. Choose another name, or add --force to replace it.")


async def _snapshot(url: str, copy: Path) -> Manifest:
    """The database as it is now in the SQLite file `copy`, and what that holds."""
    bar = Bar()
    async with opened(url) as database, transfer.snapshot(database) as session:
        manifest = Manifest(
            version=_version(),
            schema=await schema.revision(session) or "",
            database=database.url.get_backend_name(),
            epoch=await events.epoch(session),
            created_at=now().isoformat(timespec="seconds"),
            tables={},
        )
        take = _pages if database.is_sqlite else _rows
        found = await take(session, copy, bar)
    # The site's database is let go: while it is read, what is written there only piles up.
    await _verify(copy, found, bar)
    bar.end()
    manifest.tables = transfer.as_json(found)
    return manifest


def _version() -> str:
    try:
        return metadata.version("microblog")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"


async def _pages(session: Session, copy: Path, bar: Bar) -> Sums:
    """SQLite's own copy, inside the reading transaction: writers go on meanwhile.

    An older schema can be copied too, before a new version migrates it, but its rows not counted.
    """
    raw = await (await session.connection()).get_raw_connection()
    if raw.driver_connection is None:
        raise TransferError("The database was closed.")
    with closing(sqlite3.connect(copy, check_same_thread=False)) as target:
        # It is not kept: what goes into the archive is synced there, and the site waits for syncs.
        target.execute("PRAGMA synchronous=OFF")
        try:
            await raw.driver_connection.backup(target)
        except sqlite3.Error as error:
            raise TransferError(f"The database cannot be copied: {error}.") from error
    if not await schema.is_newest(session):
        return {}
    return await transfer.sums(session, bar)


async def _rows(session: Session, copy: Path, bar: Bar) -> Sums:
    if not await schema.is_newest(session):
        raise TransferError("The database is older than this version. Run: microblog migrate")
    await schema.upgrade(sqlite_url(copy))
    async with opened(sqlite_url(copy)) as made, made.writing() as written:
        return await transfer.replace(session, written, bar)


async def _verify(copy: Path, found: Sums, bar: Bar) -> None:
    """Read the file again: is it whole, and what the database held?"""
    with closing(sqlite3.connect(copy)) as connection:
        damage = connection.execute("PRAGMA integrity_check").fetchall()
        damage += connection.execute("PRAGMA foreign_key_check").fetchall()
    if damage != [("ok",)]:
        raise TransferError(f"The database is damaged: {damage[0][0]}. Run: microblog doctor")
    if not found:
        return
    async with opened(sqlite_url(copy)) as made, transfer.snapshot(made) as written:
        if await transfer.sums(written, bar) != found:
            raise TransferError("The copy differs from the database. Nothing was kept.")


def _report(file: Path, manifest: Manifest, seconds: float) -> str:
    rows = sum(each["rows"] for each in manifest.tables.values())
    held = (
        f"{rows:,} rows"
        if manifest.tables
        else f"the database (of the older schema {manifest.schema})"
    )
    said = (
        f"{file}: {held} and {len(manifest.media):,} media files as of {manifest.created_at},"
        f" verified, {file.stat().st_size / 2**20:.1f} MiB in {seconds:.1f} s."
    )
    if archives.KEY not in manifest.files:
        said += "\nThe secret key is not in it: keep what MICROBLOG_SECRET_KEY says, too."
    return said
