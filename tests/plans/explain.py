"""What a database would do for the statements that a question of the product really sends.

Statements are caught on their way to the database, with their values, and explained; so a test can
neither explain another form than the one that runs, nor forget one of several.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import Connection, event

from microblog.kernel.db import Database
from microblog.kernel.model import Session

Question: TypeAlias = Callable[[Session], Awaitable[object]]

PLAN_MODES = ("force_custom_plan", "force_generic_plan")  # the server changes over by itself


@dataclass(frozen=True, slots=True)
class Sent:
    sql: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`scans`: whole tables read; `sorted`: the most rows that are put in order."""

    scans: list[str]
    sorted: float
    told: str


class _Undone(Exception):
    pass


async def plans(db: Database, ask: Question) -> list[Plan]:
    """One for each statement of `ask`, two on PostgreSQL.  Nothing is changed."""
    found: list[Plan] = []
    with suppress(_Undone):
        async with db.writing() as session:
            sent = await statements(session, ask)
            connection = await session.connection()
            explain = _sqlite if db.is_sqlite else _postgresql
            for one in sent:
                found += await connection.run_sync(explain, one)
            raise _Undone
    return found


async def statements(session: Session, ask: Question) -> list[Sent]:
    sent: list[Sent] = []
    engine = session.get_bind()

    def catch(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        sent.append(Sent(sql, tuple(values)))

    event.listen(engine, "before_cursor_execute", catch)
    try:
        await ask(session)
    finally:
        event.remove(engine, "before_cursor_execute", catch)
    return sent


def _sqlite(connection: Connection, sent: Sent) -> list[Plan]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent.sql}", sent.values).all()
    steps = [row[3] for row in rows]
    scans = [step for step in steps if step.startswith("SCAN") and not _is_small(step)]
    sorts = 1 if any("TEMP B-TREE" in step for step in steps) else 0  # how much is not told
    return [Plan(scans, sorts, "\n".join([sent.sql, *steps]))]


def _is_small(step: str) -> bool:
    """Of rows that a search below has found, or through an index of those rows only that matter."""
    if step.startswith(("SCAN CONSTANT ROW", "SCAN (", "SCAN anon_")):
        return True
    return any(few in step for few in ("_due", "_open", "_waiting", "_staff"))


def _postgresql(connection: Connection, sent: Sent) -> list[Plan]:
    return [_explained(connection, sent, mode) for mode in PLAN_MODES]


def _explained(connection: Connection, sent: Sent, mode: str) -> Plan:
    connection.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
    connection.exec_driver_sql(f"PREPARE asked AS {sent.sql}")
    given = f"({', '.join(map(literal, sent.values))})" if sent.values else ""
    told = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) EXECUTE asked{given}").scalar_one()
    connection.exec_driver_sql("DEALLOCATE asked")
    root = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    below = list(nodes(root))
    scans = [node["Relation Name"] for node in below if node["Node Type"] == "Seq Scan"]
    scans += _whole_indexes(root)
    sorts = [node["Plans"][0]["Plan Rows"] for node in below if node["Node Type"] == "Sort"]
    return Plan(scans, max(sorts, default=0), f"{mode}\n{sent.sql}\n{json.dumps(root, indent=1)}")


def _whole_indexes(node: dict[str, Any]) -> list[str]:
    """Those gone through from end to end: nothing is looked up, and nothing above says enough."""
    if node["Node Type"] == "Limit":
        return []
    index = node.get("Index Name", "")
    whole = index and "Index Cond" not in node and not _is_small(index)
    below = [one for plan in node.get("Plans", []) for one in _whole_indexes(plan)]
    return [index, *below] if whole else below


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from nodes(below)


def literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    written = value.isoformat(" ") if isinstance(value, date) else str(value)
    return "'" + written.replace("'", "''") + "'"
