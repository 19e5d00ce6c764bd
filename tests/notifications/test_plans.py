"""What every page and every seen post asks is a search in an index, however much there is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import ClauseElement, text
from sqlalchemy.dialects import sqlite

from microblog.notifications import queries
from tests.world import World


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (queries._UNREAD, {"account_id": 1}),
        (queries._PAGE, {"account_id": 1, "before": 9, "limit": 30}),
        (queries._CONCERNED, {"account_id": 1, "post_ids": [1, 2, 3]}),
        (queries._SEEN, {"account_id": 1, "post_ids": [1, 2, 3]}),
        (queries._UNREAD_AMONG, {"account_id": 1, "ids": [1, 2, 3]}),
    ],
    ids=["unread", "page", "concerned", "seen", "unread among"],
)
async def test_nothing_is_scanned_and_nothing_is_sorted(
    world: World, statement: ClauseElement, values: dict[str, Any]
) -> None:
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    asked = compiled.construct_expanded_state(values)  # type: ignore[attr-defined]
    async with world.db.reading() as session:
        explained = text(f"EXPLAIN QUERY PLAN {asked.statement}")
        rows = await session.execute(explained, asked.parameters)
        plan = "\n".join(row.detail for row in rows)
    assert "SCAN" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan
