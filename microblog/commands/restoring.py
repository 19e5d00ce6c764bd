"""``restore``: a backup becomes the site, on either kind of database.

The log gets another epoch, so that open pages notice that what they hold belongs to a history that
is lost, and load anew.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update

from microblog.commands import archives
from microblog.commands.archives import Manifest
from microblog.commands.databases import holds_a_site, in_use, opened, shown, sqlite_url
from microblog.commands.progress import Bar
from microblog.commands.scratch import scratch
from microblog.commands.starting import Command, data_dir, say
from microblog.kernel import events, schema, transfer
from microblog.kernel.clock import now
from microblog.kernel.events import LogEpoch
from microblog.kernel.model import Session
from microblog.kernel.postgresql import faults_told
from microblog.kernel.transfer import TransferError
from microblog.mail.composing import SETTLED
from microblog.mail.outbox import ACTIVE, Email
from microblog.settings import Settings

STALE = timedelta(days=1)
REASON = "restored from a backup: it may have been sent since"


def add(command: Command) -> None:
    restore = command("restore", put_back, "Make a backup the site, which must be stopped.")
    restore.add_argument("file", metavar="FILE", type=Path, help="what microblog backup wrote")
    restore.add_argument("--force", action="store_true", help="replace the site that is here")
    restore.add_argument(
        "--cancel-mail", action="store_true",
        help="send none of the mail that was waiting (else: only what waited for less than a day)",
    )  # fmt: skip


async def put_back(given: argparse.Namespace) -> None:
    settings = Settings.from_env()
    manifest = archives.verified(given.file)
    with data_dir(settings), scratch(settings.data_dir) as folder:
        archives.extract(given.file, list(manifest.files), folder)
        copy = folder / archives.DATABASE
        manifest = await _brought_up(copy, manifest)
        await _refuse_running(settings)
        async with faults_told():
            await schema.upgrade(settings.url)
        await _refuse(settings, force=given.force)
        since = now() if given.cancel_mail else now() - STALE
        cancelled = await _into_database(copy, settings.url, manifest, since)
        _place_files(settings, manifest, folder)
    say(_report(settings, manifest, cancelled))


async def _brought_up(copy: Path, manifest: Manifest) -> Manifest:
    """Migrated, if it is older; then its sums are no longer those of the manifest."""
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise TransferError(f"The database in the backup is damaged: {found}.")
    await schema.upgrade(sqlite_url(copy))
    async with opened(sqlite_url(copy)) as database, database.reading() as session:
        is_older = await schema.revision(session) != manifest.schema
    return replace(manifest, tables={}) if is_older else manifest


async def _refuse_running(settings: Settings) -> None:
    """Before anything is changed: also its schema is still that of its version."""
    if await in_use(settings.url):
        raise TransferError("The site is running. Stop it first, with all its workers.")


async def _refuse(settings: Settings, *, force: bool) -> None:
    async with opened(settings.url) as database, database.reading() as session:
        here = holds_a_site(await transfer.filled(session))
    if any((settings.data_dir / archives.MEDIA).iterdir()):
        here.append("media")
    if here and not (force or _agreed(settings, here)):
        raise TransferError(
            f"There is a site here already ({', '.join(here)}). Add --force to replace it."
        )


def _agreed(settings: Settings, here: list[str]) -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    say(f"{shown(settings.url)} and {settings.data_dir} hold a site ({', '.join(here)}).")
    return input("Replace it? It cannot be brought back. Type yes: ").strip() == "yes"


async def _into_database(copy: Path, url: str, manifest: Manifest, since: datetime) -> int:
    """In one transaction; how many mails were cancelled."""
    bar = Bar()
    async with (
        opened(sqlite_url(copy)) as backup,
        opened(url) as database,
        transfer.snapshot(backup) as old,
        database.writing() as new,
    ):
        arrived = transfer.as_json(await transfer.replace(old, new, bar))
        if manifest.tables and arrived != manifest.tables:
            raise TransferError("The backup does not hold what it says. Nothing was changed.")
        await _begin_another_history(new)
        cancelled = await _cancel_mail(new, since)
    bar.end()
    return cancelled


async def _begin_another_history(session: Session) -> None:
    await session.execute(delete(LogEpoch))
    await events.ensure_epoch(session)


async def _cancel_mail(session: Session, before: datetime) -> int:
    """What waited for long when the backup was made has most likely been sent since.  The rest goes
    out, under the Message-ID it had."""
    stale = update(Email).where(Email.state.in_(ACTIVE), Email.created_at < before)
    cancelled = stale.values(state="cancelled", reason=REASON, lease_owner=None, **SETTLED)
    return cast(CursorResult[Any], await session.execute(cancelled)).rowcount


def _place_files(settings: Settings, manifest: Manifest, folder: Path) -> None:
    here, old = settings.data_dir / archives.MEDIA, folder / "replaced"
    old.mkdir()
    # Not the folder itself, which may be a disk of its own.
    for path in here.iterdir():
        shutil.move(path, old / path.name)
    if manifest.media:
        for path in (folder / archives.MEDIA).iterdir():
            shutil.move(path, here / path.name)
    if archives.KEY in manifest.files and not settings.secret_key:
        archives.settle(folder / archives.KEY, (settings.data_dir / archives.KEY).absolute())


def _report(settings: Settings, manifest: Manifest, cancelled: int) -> str:
    lines = [f"This is the site as of {manifest.created_at}. Start it: microblog serve"]
    if settings.secret_key or archives.KEY not in manifest.files:
        lines.append(
            "The secret key comes from the environment. Unless it is the one the site had,"
            " everybody is signed out and links in mails are dead."
        )
    if cancelled:
        lines.append(f"{cancelled:,} mails that were waiting are cancelled: {REASON}.")
    return "\n".join(lines)
