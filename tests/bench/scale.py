"""What one database carries, and what it costs a process to be woken: NOTIFY beside the broker."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from microblog.accounts import actions as accounts
from microblog.accounts import queries
from microblog.kernel import schema
from microblog.kernel.db import Database
from tests.bench.plan import Plan
from tests.bench.postgres import postgres
from tests.bench.table import Row
from tests.broker import Broker
from tests.process import ROOT

AUTHORS = 100


async def run(plan: Plan) -> Sequence[Row]:
    seconds = plan.of(8.0, 2.0)
    file = f"sqlite+aiosqlite:///{plan.room('scale')}/scale.db"
    on_file = await _posting(file, "-", seconds, processes=1)
    rows = [Row("posts written, SQLite, one process", "posts/s", on_file)]
    with postgres(plan) as url:
        if url is None:
            return rows
        one = await _posting(url, "-", seconds, processes=1)
        rows.append(Row("posts written, PostgreSQL, one process", "posts/s", one))
        for processes in (2, 4):
            found = await _posting(url, "-", seconds, processes=processes)
            name = f"posts written, PostgreSQL, {processes} processes"
            rows.append(Row(name, "posts/s", found, "one process", one))
        rows += await _doorbells(plan, url, seconds)
    return rows


async def _doorbells(plan: Plan, url: str, seconds: float) -> list[Row]:
    listeners = plan.of(8, 3)
    async with Broker() as broker:
        notify = await _listening(url, "-", seconds, listeners)
        bus = await _listening(url, broker.url, seconds, listeners)
    name = f"{listeners} processes listening, each to 1 of {AUTHORS} authors"
    return [
        Row(f"{name}: posts written", "posts/s", bus["posts"], "NOTIFY", notify["posts"]),
        Row(f"{name}: looks into the log", "per 1,000 posts", bus["looks"], "NOTIFY",
            notify["looks"]),
        Row(f"{name}: CPU of one listener", "ms per 1,000 posts", bus["cpu"], "NOTIFY",
            notify["cpu"]),
    ]  # fmt: skip


async def _posting(url: str, bus: str, seconds: float, *, processes: int) -> float:
    authors = await _authors(url)
    found = await _together([["write", url, bus, str(seconds), *authors] for _ in range(processes)])
    return sum(each["posts"] for each in found) / seconds


async def _listening(url: str, bus: str, seconds: float, listeners: int) -> dict[str, float]:
    """Figures of listeners while one process posts as all authors."""
    authors = await _authors(url)
    writer = ["write", url, bus, str(seconds), *authors]
    hearers = [["hear", url, bus, str(seconds), authors[n]] for n in range(listeners)]
    written, *heard = await _together([writer, *hearers])
    thousands = written["posts"] / 1000
    return {
        "posts": written["posts"] / seconds,
        "looks": sum(each["steps"] for each in heard) / len(heard) / thousands,
        "cpu": sum(each["cpu"] for each in heard) / len(heard) / thousands * 1000,
    }


async def _authors(url: str) -> list[str]:
    """Ids of people; made at the first call."""
    await schema.upgrade(url)
    db = Database(url)
    names = [f"author{number}" for number in range(AUTHORS)]
    async with db.writing() as session:
        found = await queries.ids_by_names(session, names)
        for name in set(names) - set(found):
            account = await accounts.create(session, name=name, email=None, password_hash=None)
            found[name] = account.id
    await db.close()
    return [str(found[name]) for name in names]


async def _together(commands: list[list[str]]) -> list[dict[str, Any]]:
    """Start all, begin at once, and read what each found."""
    async with AsyncExitStack() as stack:
        processes = []
        for command in commands:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.posting", *command, cwd=ROOT,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            stack.push_async_callback(_ended, process)
            processes.append(process)
        for process in processes:
            await process.stdout.readline()
        for process in processes:
            process.stdin.write(b"\n")
        return [json.loads(await process.stdout.readline()) for process in processes]


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
