"""Bans through pages: who is shut out is told so; who is here can go on."""

from __future__ import annotations

from microblog.accounts.model import Ban
from tests.moderation.conftest import with_role
from tests.web.visitor import Visitor, text
from tests.world import World


async def test_an_administrator_bans_and_takes_it_back(world: World) -> None:
    ada = await with_role(world, "ada", "administrator")
    answer = await ada.submit("/admin/bans", kind="domain", value="Spam.example")
    assert answer.status_code == 303
    assert "spam.example" in await ada.page("/admin/bans")
    assert "Banned: spam.example" in await ada.page("/admin/log")
    answer = await ada.submit("/admin/bans", kind="network", value="everything")
    assert answer.status_code == 422
    assert 'value="everything"' in await text(answer)
    refused = await Visitor(world).registers("eve", email="eve@mail.spam.example")
    assert refused.status_code == 422
    assert "provider" in await text(refused)
    assert (await ada.submit("/admin/bans/1/delete")).status_code == 303
    assert (await Visitor(world).registers("eve", email="eve@spam.example")).status_code == 303


async def test_moderators_neither_see_nor_change_bans(world: World) -> None:
    mo = await with_role(world, "mo", "moderator")
    assert (await mo.get("/admin/bans")).status_code == 404
    assert (await mo.submit("/admin/bans", kind="name", value="x")).status_code == 404
    assert "/admin/bans" not in await mo.page("/admin")


async def test_a_banned_network_reads_and_does_not_come_in(world: World) -> None:
    susan = await world.person("susan")
    async with world.db.writing() as session:
        session.add(Ban(kind="network", value="127.0.0.0/8"))
    client = world.app.test_client()
    scope = {"client": ("127.0.0.9", 1)}
    for path in ("/login", "/register", "/password/reset/a-link"):  # which signs in, too
        answer = await client.get(path, scope_base=scope)
        assert answer.status_code == 403, path
        assert "nobody can sign in" in await answer.get_data(as_text=True)
    assert (await client.get("/explore", scope_base=scope)).status_code == 200
    assert (await susan.get("/settings/account")).status_code == 200
