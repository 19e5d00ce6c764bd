"""Kill the server again and again while people post, then prove that nothing was lost.

    python -m tests.faults.kill9 --kills 20

Writers post, edit and delete, each request under its idempotency key and repeated until it is
answered. Readers behave like the page's script.  The server is `kill -9`ed at random moments and
started again. At the end, in the order of the log:

- every acknowledged post is there, once;
- each reader was told of every event of the people it follows, in order, each once;
- each person mentioned got a mail for every mention that still stands; a second copy has the same
  Message-ID.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import secrets
import sqlite3
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.faults.smtp import Sink
from tests.person import Person, Reader
from tests.process import SiteProcess

WRITERS = 4


@dataclass
class History:
    """What clients were told."""

    posted: dict[str, int] = field(default_factory=dict)  # key -> id
    edited: dict[int, str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    mentioned: dict[int, str] = field(default_factory=dict)  # post id -> reader's name


@dataclass
class Report:
    kills: int
    acknowledged: int
    events: int
    wire_duplicates: int
    mails: int
    mail_duplicates: int
    restart_ms: list[float]
    faults: list[str]

    def __str__(self) -> str:
        slowest = max(self.restart_ms, default=0)
        return (
            f"kills {self.kills} · acknowledged posts {self.acknowledged} · events told to readers"
            f" {self.events} · repeated on the wire {self.wire_duplicates} · mails {self.mails}"
            f" · repeated {self.mail_duplicates} · slowest restart {slowest:.0f} ms"
            f" · faults {len(self.faults)}" + "".join(f"\n  {fault}" for fault in self.faults[:20])
        )


class Run:
    def __init__(self, folder: Path, seed: int, program: str) -> None:
        self.program = program
        self.random = random.Random(seed)
        self.folder = folder
        self.history = History()
        self.stopping = asyncio.Event()
        self.restarts: list[float] = []

    async def __call__(self, kills: int, pause: tuple[float, float]) -> Report:
        with Sink() as sink:
            site = SiteProcess(
                self.folder, program=self.program, smtp_url=sink.url, confirm_email="off",
                mail_hold="0", mail_from="microblog@example.org",
            )  # fmt: skip
            async with site, contextlib.AsyncExitStack() as people:
                writers, readers = await self._people(site.url, people)
                async with asyncio.TaskGroup() as group:
                    listening = [group.create_task(reader.run()) for reader in readers]
                    writing = [group.create_task(self._write(w, readers)) for w in writers]
                    await self._kill(site, kills, pause)
                    self.stopping.set()
                    await asyncio.wait_for(asyncio.gather(*writing), 30)
                    await self._settle(site, readers, sink)
                    for task in listening:
                        task.cancel()
                return self._report(kills, readers, sink)

    async def _people(
        self, url: str, people: contextlib.AsyncExitStack
    ) -> tuple[list[Person], list[Reader]]:
        writers = [Person(url, f"writer{n}") for n in range(WRITERS)]
        fans = [Person(url, f"reader{n}") for n in range(3)]
        for person in (*writers, *fans):
            await people.enter_async_context(person)
            await person.register()
        for number, fan in enumerate(fans[:2]):
            for writer in writers[number:]:
                await fan.follow(writer.name)
        readers = [Reader(fan) for fan in fans[:2]] + [Reader(fans[2], stream="public")]
        await asyncio.gather(*(_began(reader) for reader in readers))
        return writers, readers

    async def _kill(self, site: SiteProcess, kills: int, pause: tuple[float, float]) -> None:
        for _ in range(kills):
            await self._some_work_done()
            await asyncio.sleep(self.random.uniform(*pause))
            await site.kill()
            began = time.monotonic()
            await site.start()
            await site.ready()
            self.restarts.append((time.monotonic() - began) * 1000)

    async def _some_work_done(self) -> None:
        """A kill proves nothing while nobody has been answered yet."""
        before = len(self.history.posted)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                while len(self.history.posted) < before + WRITERS:
                    await asyncio.sleep(0.01)

    async def _write(self, writer: Person, readers: list[Reader]) -> None:
        mine: list[int] = []
        while not self.stopping.is_set():
            act = self.random.random()
            if mine and act < 0.1:
                await self._edit(writer, self.random.choice(mine))
            elif mine and act < 0.2:
                await self._delete(writer, mine.pop(self.random.randrange(len(mine))))
            else:
                mine.append(await self._post(writer, readers))
            await asyncio.sleep(self.random.uniform(0, 0.03))

    async def _post(self, writer: Person, readers: list[Reader]) -> int:
        key = secrets.token_hex(12)
        named = self.random.choice(readers).person.name if self.random.random() < 0.2 else ""
        body = f"{key} says {writer.name}" + (f" to @{named}" if named else "")
        answer = await self._insist(writer, "/posts", body=body, idempotency_key=key)
        post_id = int(answer.headers["location"].rsplit("/", 1)[1])
        self.history.posted[key] = post_id
        if named:
            self.history.mentioned[post_id] = named
        return post_id

    async def _edit(self, writer: Person, post_id: int) -> None:
        body = f"{secrets.token_hex(6)} edited"
        if post_id not in self.history.mentioned:
            await self._insist(writer, f"/posts/{post_id}/edit", body=body)
            self.history.edited[post_id] = body

    async def _delete(self, writer: Person, post_id: int) -> None:
        self.history.deleted.add(post_id)  # from now on it may be gone
        await self._insist(writer, f"/posts/{post_id}/delete", gone_is_fine=True)

    async def _insist(
        self, writer: Person, path: str, *, gone_is_fine: bool = False, **fields: str
    ) -> httpx2.Response:
        """Send until it is answered: what a person does who presses the button again."""
        while True:
            try:
                answer = await writer.submit(path, **fields)
            except (httpx2.HTTPError, AssertionError):
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 303 or (gone_is_fine and answer.status_code == 404):
                return answer
            if answer.status_code < 500:
                raise AssertionError((path, answer.status_code, answer.text[:500]))
            await asyncio.sleep(0.05)

    async def _settle(self, site: SiteProcess, readers: list[Reader], sink: Sink) -> None:
        """Wait until everybody has everything, or for so long that something must be wrong."""
        deadline = time.monotonic() + 80
        while time.monotonic() < deadline:
            if not self._missing(readers) and not self._unmailed(sink):
                return
            await asyncio.sleep(0.1)

    # -- what the database says ---------------------------------------------------------------

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.folder / "microblog.db")) as connection:
            return connection.execute(statement).fetchall()

    def _due(self, reader: Reader) -> dict[int, tuple[str, int]]:
        """Events that this reader must have been told of: id -> (kind, post)."""
        followed = "SELECT id FROM accounts"
        if reader.stream == "home":
            followed = (
                "SELECT followed_id FROM follows JOIN accounts ON accounts.id = follower_id"
                f" WHERE accounts.name = '{reader.person.name}'"
            )
        rows = self._rows(
            "SELECT id, kind, payload FROM events WHERE kind LIKE 'Post%'"
            f" AND json_extract(payload, '$.author_id') IN ({followed}) ORDER BY id"
        )
        return {row[0]: (row[1], json.loads(row[2])["post_id"]) for row in rows}

    def _deleted(self) -> set[int]:
        return {row[0] for row in self._rows("SELECT id FROM posts WHERE deleted_at IS NOT NULL")}

    def _missing(self, readers: list[Reader]) -> list[str]:
        """Events about posts that still stand, and deletions, that a reader was not told of."""
        gone = self._deleted()
        missing = []
        for reader in readers:
            told = {event["id"] for event in reader.events}
            for event_id, (kind, post_id) in self._due(reader).items():
                if event_id not in told and (kind == "PostDeleted" or post_id not in gone):
                    missing.append(f"{reader.person.name} was not told of {kind} {event_id}")
        return missing

    def _unmailed(self, sink: Sink) -> list[str]:
        gone = self._deleted()
        due = Counter(name for post, name in self.history.mentioned.items() if post not in gone)
        return [
            f"{name} has {len(set(sink.message_ids(f'{name}@example.org')))} mails of {count}"
            for name, count in due.items()
            if len(set(sink.message_ids(f"{name}@example.org"))) < count
        ]

    def _report(self, kills: int, readers: list[Reader], sink: Sink) -> Report:
        mails = [one for name in list(sink.taken) for one in sink.message_ids(name)]
        faults = [*self._lost(), *self._missing(readers), *self._unmailed(sink)]
        for reader in readers:
            faults += self._astray(reader)
        if [row[0] for row in self._rows("PRAGMA integrity_check")] != ["ok"]:
            faults.append("the database file is damaged")
        return Report(
            kills, len(self.history.posted), sum(len(r.events) for r in readers),
            sum(r.wire_duplicates for r in readers), len(set(mails)),
            len(mails) - len(set(mails)), self.restarts, faults,
        )  # fmt: skip

    def _lost(self) -> list[str]:
        kept = self._rows("SELECT idempotency_key, id FROM posts")
        twice = [key for key, n in Counter(key for key, _ in kept).items() if n > 1]
        found = dict(kept)
        lost = [k for k, post_id in self.history.posted.items() if found.get(k) != post_id]
        bodies = dict(self._rows("SELECT id, body FROM posts"))
        undone = [
            post_id for post_id, body in self.history.edited.items()
            if post_id not in self.history.deleted and bodies.get(post_id) != body
        ]  # fmt: skip
        return (
            [f"post {key} was acknowledged and is lost" for key in lost]
            + [f"post {key} is there twice" for key in twice]
            + [f"an acknowledged edit of {post_id} is lost" for post_id in undone]
        )

    def _astray(self, reader: Reader) -> list[str]:
        """Told of what was not theirs, twice, or out of order."""
        told = [event["id"] for event in reader.events if event["target"] == "timeline"]
        due = self._due(reader)
        strange = [event_id for event_id in told if event_id not in due]
        faults = [
            f"{reader.person.name} was told of {event_id}, not theirs" for event_id in strange
        ]
        if told != sorted(set(told)):
            faults.append(f"{reader.person.name} was told out of order or twice")
        shown = [e["element"] for e in reader.events if e["action"] == "insert"]
        if len(shown) != len(set(shown)):
            faults.append(f"{reader.person.name} was shown a post twice")
        return faults


async def _began(reader: Reader) -> None:
    """It knows where it is."""
    async with reader.listening():
        await reader.until(lambda one: one.position)


async def run(
    kills: int, *, seed: int | None = None, pause: tuple[float, float] = (0.0, 0.5),
    program: str = "microblog",
) -> Report:  # fmt: skip
    seed = seed if seed is not None else secrets.randbits(32)
    with tempfile.TemporaryDirectory() as folder:
        return await Run(Path(folder), seed, program)(kills, pause)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    report = asyncio.run(run(given.kills, seed=given.seed))
    print(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
