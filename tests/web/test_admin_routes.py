"""Every route of moderators by everybody: who may not come is told that nothing is there."""

from __future__ import annotations

import re

import pytest
from quart import Quart

from microblog.web.access import refuse_undeclared
from tests.moderation.conftest import with_role
from tests.world import World

STAFF_ONLY = re.compile(r"/admin(/(?!claim)|$)")
FOR_ADMINISTRATORS = ("/admin/bans", "/admin/settings")
ROLES = ("anonymous", "member", "moderator", "administrator")


def routes(app: Quart) -> list[tuple[str, str]]:
    """Method and path of each, with numbers that lead nowhere."""
    return sorted(
        (method, re.sub(r"<[^>]*>", "999999", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) & {"GET", "POST"}
        if STAFF_ONLY.match(rule.rule)
    )


async def test_the_routes_are_found(app: Quart) -> None:
    found = routes(app)
    assert ("GET", "/admin") in found
    assert ("POST", "/admin/people/999999") in found
    assert len(found) >= 10


@pytest.mark.parametrize("role", ROLES)
async def test_who_gets_in(world: World, role: str) -> None:
    if role == "anonymous":
        for method, path in routes(world.app):
            client = world.visitor()
            answer = await (client.get(path) if method == "GET" else client.post(path))
            expected = {"GET": (303, 302), "POST": (403,)}[method]
            assert answer.status_code in expected, (method, path)
            assert "Moderation" not in await answer.get_data(as_text=True)
        return
    person = await with_role(world, "somebody", role)
    for method, path in routes(world.app):
        answer = await (person.get(path) if method == "GET" else person.submit(path))
        hidden = role == "moderator" and path.startswith(FOR_ADMINISTRATORS)
        if role == "member" or hidden:
            assert answer.status_code == 404, (method, path)
            body = await answer.get_data(as_text=True)
            assert role == "moderator" or "/admin" not in body, path
        elif method == "GET" and "999999" not in path:
            assert answer.status_code == 200, path
        else:
            assert answer.status_code in (200, 404, 422), (method, path)


@pytest.mark.parametrize("path", ["/about/moderation"])
async def test_members_read_the_public_part(world: World, path: str) -> None:
    susan = await world.person("susan")
    assert "What moderators did" in await susan.page(path)
    assert (await world.visitor().get(path)).status_code in (302, 303)


async def test_a_route_that_declares_nobody_stops_the_start(app: Quart) -> None:
    async def left_open() -> str:
        return ""

    refuse_undeclared(app)
    app.add_url_rule("/left-open", "left_open", left_open)
    with pytest.raises(LookupError, match="left_open"):
        refuse_undeclared(app)
