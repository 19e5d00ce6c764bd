"""``doctor``: what works, what does not, and what to do about it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict

from sqlalchemy.exc import SQLAlchemyError

from microblog.commands.checkups import address, bus, database, log, machine, mail
from microblog.commands.checkups.findings import Finding, broken
from microblog.commands.databases import opened
from microblog.commands.starting import Command, say, with_address
from microblog.kernel.db import FAULTS
from microblog.settings import Settings, SettingsError

UNUSABLE: tuple[type[Exception], ...] = (*FAULTS, SQLAlchemyError, OSError)
MARKS = {"ok": "✓", "look": "!", "broken": "✗"}


def add(command: Command) -> None:
    doctor = command("doctor", examine, "Look at everything a site needs, and say what to do.")
    doctor.add_argument("--json", action="store_true", help="for programs")
    doctor.add_argument("--mail-to", metavar="ADDRESS", help="send one test mail")


async def examine(given: argparse.Namespace) -> int:
    """The exit status: 1 if something is broken."""
    found = []
    async for finding in _everything(given.mail_to):
        found.append(finding)
        if not given.json:
            say(_line(finding))
    well = all(finding.level != "broken" for finding in found)
    if given.json:
        say(json.dumps({"ok": well, "findings": [asdict(each) for each in found]}, indent=1))
    return 0 if well else 1


def _line(finding: Finding) -> str:
    said = f"{MARKS[finding.level]} {finding.about}: {finding.says}"
    if finding.do:
        said += f"\n    {finding.do}"
    coding = sys.stdout.encoding or "utf-8"
    return said.encode(coding, "replace").decode(coding)


async def _everything(mail_to: str | None) -> AsyncIterator[Finding]:
    try:
        settings = with_address(Settings.from_env())
    except SettingsError as error:
        yield broken("settings", str(error), "The site does not start like this.")
        return
    for finding in machine.examine(settings):
        yield finding
    async for finding in _kept(settings):
        yield finding
    async for finding in bus.examine(settings):
        yield finding
    async for finding in mail.examine(settings, mail_to):
        yield finding
    async for finding in address.examine(settings):
        yield finding


async def _kept(settings: Settings) -> AsyncIterator[Finding]:
    """The database, and what it says of those who work on it."""
    try:
        usable = False
        async for finding in database.examine(settings):
            usable = usable or (finding.about, finding.level) == ("schema", "ok")
            yield finding
        if usable:
            async with opened(settings.url) as opened_database:
                async for finding in log.examine(opened_database):
                    yield finding
    except UNUSABLE as error:
        why = getattr(error, "orig", None) or error
        yield broken("database", f"it cannot be used: {why}", _what_to_do(settings))


def _what_to_do(settings: Settings) -> str:
    if settings.url.startswith("sqlite"):
        return (
            "May this user read it? If it is damaged: stop the site, move the file away and"
            " restore the newest backup (microblog restore FILE)."
        )
    return "Does it run? Look at MICROBLOG_DATABASE_URL and at the rights of its user."
