from __future__ import annotations

import re

from microblog.accounts import actions as accounts
from microblog.accounts.model import Account
from microblog.notifications import queries
from microblog.notifications.queries import KINDS
from tests.world import Person, World


async def muted(world: World, person: Person) -> set[str]:
    async with world.db.reading() as session:
        return await queries.muted(session, person.id)


def switched_on(page: str) -> list[str]:
    return re.findall(r'name="(\w+)" type="checkbox" value="on" checked', page)


async def test_every_kind_is_on_until_it_is_switched_off(world: World) -> None:
    susan = await world.person("susan")
    assert switched_on(await susan.page("/settings/mail")) == list(KINDS)

    answer = await susan.submit("/settings/mail", mention="on")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/mail")
    page = await susan.page("/settings/mail")
    assert switched_on(page) == ["mention"]
    assert "Saved." in page
    assert await muted(world, susan) == set(KINDS) - {"mention"}


async def test_switching_on_again_brings_the_mail_back(world: World) -> None:
    susan = await world.person("susan")
    await susan.submit("/settings/mail")
    assert await muted(world, susan) == set(KINDS)
    await susan.submit("/settings/mail", **dict.fromkeys(KINDS, "on"))
    assert await muted(world, susan) == set()


async def test_trying_again_forgets_the_refusals_and_leaves_the_switches(world: World) -> None:
    susan = await world.person("susan")
    await susan.submit("/settings/mail", reply="on")
    async with world.db.writing() as session:
        await accounts.note_mail_refusal(session, susan.id, "550 no such <mailbox>")
    assert "550 no such &lt;mailbox&gt;" in await susan.page("/settings/mail")

    await susan.submit("/settings/mail", retry="1")

    assert "550 no such" not in await susan.page("/settings/mail")
    assert await muted(world, susan) == set(KINDS) - {"reply"}
    async with world.db.reading() as session:
        assert (await session.get_one(Account, susan.id)).mail_refusals == 0


async def test_a_script_is_answered_in_json(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.submit("/settings/mail", {"Accept": "application/json"}, follow="on")
    assert (answer.status_code, await answer.get_json()) == (200, {"url": "/settings/mail"})
    assert "Saved." not in await susan.page("/settings/mail")


async def test_the_page_speaks_spanish_to_those_who_chose_it(world: World) -> None:
    susan = await world.person("susan", language="es")
    assert ">me mencione<" in await susan.page("/settings/mail")


async def test_visitors_sign_in_first(world: World) -> None:
    answer = await world.visitor().get("/settings/mail")
    assert answer.status_code == 303
