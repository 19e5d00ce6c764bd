"""Upgrades that are killed: in each step from the first version on, at several moments of it.

    python -m tests.faults.dying_upgrades URL POSTS 1 3 inf

The moments are changes made so far; inf: all but the commit.

A process of its own, since it forks: each child upgrades the database as a start of the site does,
and ends itself with SIGKILL.  Then the step is done for good, and the next one is tried.  Prints
what came of it as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from functools import partial
from itertools import pairwise
from typing import Any

from alembic import command
from sqlalchemy import Connection, Engine, event, text

from microblog.kernel import migrating, schema
from tests.faults.database import damage, rows

CHANGES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
STEP_ENDS = ("INSERT INTO alembic_version", "UPDATE alembic_version")
PEOPLE = 20

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :most)"
_MOMENT = "'2026-01-01 00:00:00'"
_FILL_PEOPLE = (
    "INSERT INTO accounts (id, name, name_key, email, email_key, created_at)"
    f" {_NUMBERS} SELECT i, 'p' || i, 'p' || i, 'p' || i || '@example.org',"
    f" 'p' || i || '@example.org', {_MOMENT} FROM n"
)
_FILL_POSTS = (
    "INSERT INTO posts (id, author_id, body, created_at, root_id)"
    f" {_NUMBERS} SELECT i, 1 + i % {PEOPLE}, 'post ' || i, {_MOMENT}, i FROM n"
)
_CONTENT = (
    "SELECT count(*), sum(id), sum(length(name)), sum(length(email)) FROM accounts",
    "SELECT count(*), sum(id), sum(author_id), sum(length(body)) FROM posts",
)


def main() -> None:
    url, posts, *moments = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:])
    steps = sorted(schema._revisions()[1])
    trial = Trial(url)
    for before, step in pairwise([None, *steps]):
        for moment in moments:
            trial.kill_in(str(step), moment, before)
        trial.go_to(str(step))
        if before is None:
            asyncio.run(schema._with_connection(url, partial(_fill, posts=posts)))
            trial.content = trial.found()
    trial.twice()
    print(json.dumps({"kills": trial.kills, "took": trial.took, "wrong": trial.wrong}))


class Trial:
    def __init__(self, url: str) -> None:
        self.url = url
        self.kills = 0
        self.wrong: list[str] = []
        self.took: dict[str, float] = {}  # seconds of each step
        self.content: list[Any] = []

    def kill_in(self, step: str, moment: float, before: str | None) -> None:
        child = os.fork()
        if not child:
            _die_after(moment)
            asyncio.run(schema.upgrade(self.url))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == -signal.SIGKILL:
            self.kills += 1
        else:
            self.wrong.append(f"step {step} was not killed but ended with {status}")
        self._judge(f"killed in step {step} after {moment} changes", before)

    def go_to(self, step: str) -> None:
        began = time.monotonic()
        asyncio.run(schema._with_connection(self.url, partial(_go_to, step=step)))
        self.took[step] = time.monotonic() - began
        self._judge(f"after step {step}", step)

    def twice(self) -> None:
        asyncio.run(schema.upgrade(self.url))
        asyncio.run(schema.check(self.url))
        self._judge("after upgrading once more", max(self.took))

    def found(self) -> list[Any]:
        return [tuple(asyncio.run(rows(self.url, one))[0]) for one in _CONTENT]

    def _judge(self, when: str, revision: str | None) -> None:
        found = asyncio.run(_revision(self.url))
        if found != revision:
            self.wrong.append(f"{when} the schema is {found}, not {revision}")
        if self.content and self.found() != self.content:
            self.wrong.append(f"{when} there is {self.found()}, not {self.content}")
        self.wrong += [f"{when}: {said}" for said in asyncio.run(damage(self.url))]


def _die_after(moment: float) -> None:
    changes = 0

    @event.listens_for(Engine, "after_cursor_execute")
    def die(
        _connection: Any, _cursor: Any, statement: str, _given: Any, _context: Any, _many: bool
    ) -> None:
        nonlocal changes
        changes += statement.lstrip().startswith(CHANGES)
        if changes >= moment or statement.startswith(STEP_ENDS):
            os.kill(os.getpid(), signal.SIGKILL)


def _go_to(connection: Connection, step: str) -> None:
    alembic = migrating.config()
    alembic.attributes["connection"] = connection
    command.upgrade(alembic, step)


def _fill(connection: Connection, posts: int) -> None:
    connection.execute(text(_FILL_PEOPLE), {"most": PEOPLE})
    connection.execute(text(_FILL_POSTS), {"most": posts})


async def _revision(url: str) -> str | None:
    found: list[str | None] = []
    await schema._with_connection(url, lambda one: found.append(schema._revision(one)))
    return found[0]


if __name__ == "__main__":
    main()
