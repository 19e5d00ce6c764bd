"""The log of moderators only grows."""

from __future__ import annotations

import ast
from pathlib import Path

from quart import Quart
from sqlalchemy import select

from microblog.moderation import actions, appeals
from microblog.moderation.model import Entry
from tests.moderation.conftest import House

SOURCE = Path(__file__).parents[2] / "microblog"
# Takes words and names of whom is erased out of it.
CHANGES_IT = {"departures/erasure.py"}
SHOWING_IT = {"admin.log", "moderation.show"}


async def entries(house: House) -> list[tuple[object, ...]]:
    async with house.world.db.reading() as session:
        rows = await session.execute(select(*Entry.__table__.columns).order_by(Entry.id))
        return [tuple(row) for row in rows]


async def test_no_act_changes_what_stands_in_it(house: House) -> None:
    ada, mo, susan = house.ada.id, house.mo.id, house.susan.id
    acts = [
        lambda s: actions.suspend(s, mo, susan, reason="Adverts.", days=7),
        lambda s: actions.suspend(s, mo, susan, reason="More adverts."),
        lambda s: actions.lift(s, ada, susan, reason="Enough."),
        lambda s: actions.silence(s, mo, susan, reason="Loud."),
        lambda s: appeals.decide(s, ada, 4, granted=True),
        lambda s: actions.set_role(s, ada, susan, role="moderator"),
        lambda s: actions.reset_two_factor(s, ada, susan),
    ]
    stood: list[tuple[object, ...]] = []
    for number, act in enumerate(acts):
        async with house.world.db.writing() as session:
            if number == 4:
                await appeals.file(session, await session.get_one(Entry, 4), "I whisper.")
            await act(session)
        stands = await entries(house)
        assert stands[: len(stood)] == stood
        assert len(stands) > len(stood)
        stood = stands


def test_no_route_changes_it(app: Quart) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint in SHOWING_IT]
    assert {rule.rule for rule in rules} == {"/admin/log", "/about/moderation"}
    for rule in rules:
        assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS"}, rule.rule
    others = [rule.rule for rule in app.url_map.iter_rules() if rule not in rules]
    assert not [path for path in others if "log" in path.split("/")]


def test_one_module_alone_has_statements_that_change_it() -> None:
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("update", "delete")
        and [ast.unparse(one) for one in node.args] == ["Entry"]
    }
    assert found == CHANGES_IT
