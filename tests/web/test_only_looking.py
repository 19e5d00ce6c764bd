"""Looking changes nothing: the whole database is compared around every page (SECURITY 10)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from microblog.kernel.model import Base
from tests.web.cells import ONLY_DEV, ROWS
from tests.web.test_who_sees_what import Town
from tests.web.test_who_sees_what import town as town  # the fixture, here too

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = ("owner", "moderator", "anonymous")


async def everything(town: Town) -> dict[str, list[Any]]:
    """Every row of every table, but for when a device was seen last."""
    found = {}
    async with town.world.db.reading() as session:
        for table in Base.metadata.sorted_tables:
            columns = [one for one in table.columns if one.name != "last_seen_at"]
            rows = await session.execute(select(*columns))
            found[table.name] = sorted(repr(row) for row in rows)
    return found


def pages(town: Town, objects: dict[str, object]) -> list[str]:
    routes = [rule for rule in town.world.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    plain = {rule.rule for rule in routes if not rule.arguments}
    named = {row.rule: row.path.format(**objects) for row in ROWS if row.method == "GET"}
    assert {rule.rule for rule in routes if rule.arguments} <= {*named, *ONLY_DEV}
    return sorted(plain | {row.path.format(**objects) for row in ROWS if row.method == "GET"})


async def test_no_page_changes_anything_for_whoever_looks(town: Town) -> None:
    objects = await town.make()
    await town.world.settle()
    before = await everything(town)
    for path in pages(town, objects):
        for who in WHO:
            client = town.world.visitor() if who == "anonymous" else town.people[who].client
            assert (await client.get(path)).status_code < 500, (path, who)
    after = await everything(town)
    assert {name for name in after if after[name] != before[name]} == set()
