"""A backup is taken while people post: what was acknowledged before it began is in it, and posting
hardly slows.

Restored into a new SQLite file, whatever it was taken from.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import history, report
from tests.faults.database import damage
from tests.faults.history import History
from tests.faults.people import KEY, seated
from tests.faults.r01_kill9_writes import kept, write
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.process import ROOT

ID = "R22"
NAME = "backup under load"
FULL = 60.0
SHORT_KINDS: tuple[
    str, ...
] = ()  # what is restored: tests/commands/test_backups.py; how fast: the long run

WRITERS = 4
ROUNDS = 10


@dataclass
class _Rates:
    """Seconds, and posts acknowledged in them."""

    seconds: list[float] = field(default_factory=list)
    posts: list[int] = field(default_factory=list)

    def note(self, log: History, began: float, ended: float) -> None:
        done = (one.completed_at or 0 for one in log.acknowledged("post"))
        self.seconds.append(ended - began)
        self.posts.append(sum(began <= at < ended for at in done))

    @property
    def rate(self) -> float:
        return sum(self.posts) / sum(self.seconds)


async def run(scale: Scale, database: str) -> Findings:
    log, quiet, busy = History(), _Rates(), _Rates()
    seats = await seated(database, [f"writer{number}" for number in range(WRITERS)])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with serving(database) as site, asyncio.TaskGroup() as group:
            writing = [group.create_task(write(log, site.port, seat)) for seat in seats.values()]
            await asyncio.sleep(0.5)
            for number in scale.rounds(ROUNDS, 1):
                began = time.monotonic()
                await asyncio.sleep(scale.of(3.0, 1.0))
                started = time.monotonic()
                file = folder / f"{number}.zip"
                await _microblog("backup", str(file), folder / "here", database)
                quiet.note(log, began, started)
                busy.note(log, started, time.monotonic())
            for task in writing:
                task.cancel()
        copy = f"sqlite+aiosqlite:///{folder / 'there.db'}"
        await _microblog("restore", str(file), folder / "there", copy)
        there = {key: post_id for key, post_id, _ in await kept(copy)}
        wrong = await damage(copy)
    promised = [
        one for one in log.acknowledged("post") if one.completed_at and one.completed_at < started
    ]
    return Findings(
        f"{len(promised)} posts promised, {len(there)} restored; {quiet.rate:.0f} posts/s,"
        f" {busy.rate:.0f} while a backup is taken",
        [Size("backups", len(busy.posts), ROUNDS)],
        [report.rate("posting meanwhile", busy.rate / quiet.rate, 0.9, "of what it is otherwise")],
        [*wrong, *history.lost(promised, there), *history.changed(promised, there)],
        history=log,
    )


async def _microblog(command: str, file: str, data: Path, database: str) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MICROBLOG_")}
    settings = {"DATA_DIR": str(data), "DATABASE_URL": database, "SECRET_KEY": KEY}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "microblog", command, file, cwd=ROOT,
        env=clean | {f"MICROBLOG_{name}": value for name, value in settings.items()},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command} failed: {said.decode()}")
