"""A request of somebody whose login session ends while it waits for its turn to write.

Whoever ends it may have seen a thief there: nothing that opens the account later may begin then.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from quart import Response
from sqlalchemy import func, select, update

from microblog.accounts.model import Account
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.identities.model import Identity
from microblog.kernel.db import Database
from microblog.settings import Settings
from microblog.signin import actions
from microblog.signin.model import EmailChange, LoginSession, Passkey, SecondFactor
from microblog.signin.passwords import hashed
from tests.signin.authenticator import Authenticator
from tests.web.travelling import confirmed, sent_to
from tests.web.visitor import PASSWORD
from tests.world import Person, World

Act = Callable[[Person], Awaitable[Response]]
WAYS_IN = (Passkey, EmailChange, Identity, SecondFactor)


@pytest.fixture
async def settings(settings: Settings) -> AsyncIterator[Settings]:
    async with listening(Pretenders()) as url:
        yield replace(settings, providers=providers_at(url), confirm_email="on")


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when somebody waits for a turn to write."""
    found, my_turn = asyncio.Event(), Database._my_turn

    def told(db: Database):
        if db._turn.locked():
            found.set()
        return my_turn(db)

    monkeypatch.setattr(Database, "_my_turn", told)
    return found


async def adds_passkey(person: Person) -> Response:
    options = re.search(r'data-options="([^"]+)"', await person.page("/settings/passkeys"))
    assert options
    answer = Authenticator().creates(html.unescape(options[1]))
    return await person.submit("/settings/passkeys", credential=answer, name="A phone")


async def asks_for_another_address(person: Person) -> Response:
    return await person.submit("/settings/email", email="mallory@new.example")


async def begins_two_factor(person: Person) -> Response:
    return await person.submit("/settings/two-factor/setup")


async def changes_the_password(person: Person) -> Response:
    given = {"current_password": PASSWORD, "password": "another horse staple"}
    return await person.submit("/settings/account", **given)


async def leaves(person: Person) -> Response:
    return await person.submit("/settings/leave", current_password=PASSWORD)


async def signs_the_others_out(person: Person) -> Response:
    return await person.submit("/settings/sessions", end="others")


async def wants_a_copy(person: Person) -> Response:
    return await person.submit("/settings/export")


async def ended_while(world: World, waiting: asyncio.Event, thief: Person, act: Act) -> Response:
    """What `act` is answered, whose login session ends before its turn comes."""
    async with asyncio.TaskGroup() as tasks, world.db.writing() as session:
        acting = tasks.create_task(act(thief))
        async with asyncio.timeout(10):
            await waiting.wait()
        theirs = await session.scalar(select(func.max(LoginSession.id)))
        await actions.end_device(session, theirs or 0, thief.id)
    return acting.result()


async def ways_in(world: World) -> int:
    async with world.db.reading() as session:
        counts = [await session.scalar(select(func.count()).select_from(one)) for one in WAYS_IN]
    return sum(count or 0 for count in counts)


@pytest.mark.parametrize(
    "act",
    [adds_passkey, asks_for_another_address, begins_two_factor],
    ids=lambda act: act.__name__,
)
async def test_leaves_no_way_in(world: World, waiting: asyncio.Event, act: Act) -> None:
    ada = await world.person("ada")
    thief = await world.on_another_device(ada)
    refused = await ended_while(world, waiting, thief, act)
    assert refused.status_code == 403
    said = await refused.get_data(as_text=True)
    assert "signed out in the meantime, so nothing was changed" in said
    assert await ways_in(world) == 0
    assert (await act(ada)).status_code == 303
    assert await ways_in(world) == 1


@pytest.mark.parametrize(
    "act",
    [changes_the_password, leaves, signs_the_others_out, wants_a_copy],
    ids=lambda act: act.__name__,
)
async def test_changes_nothing(world: World, waiting: asyncio.Event, act: Act) -> None:
    ada = await world.person("ada")
    async with world.db.writing() as session:
        stored = await hashed(PASSWORD)
        await session.execute(update(Account).values(password_hash=stored))
    thief = await world.on_another_device(ada)
    assert (await ended_while(world, waiting, thief, act)).status_code == 403
    assert (await act(ada)).status_code == 303


async def test_links_nothing(world: World, waiting: asyncio.Event) -> None:
    """Not when they come back from a provider, either."""
    ada = await world.person("ada")
    thief = await world.on_another_device(ada)
    url = await sent_to(await thief.submit("/settings/identities", link="github"))
    back = await confirmed(url, person="grace")
    refused = await ended_while(world, waiting, thief, lambda thief: thief.get(back))
    assert refused.status_code == 403
    assert await ways_in(world) == 0


async def test_an_address_asked_for_on_a_device_that_is_signed_out_is_forgotten(
    world: World,
) -> None:
    ada = await world.person("ada")
    for end in ("the device", "others"):
        thief = await world.on_another_device(ada)
        await asks_for_another_address(thief)
        assert await ways_in(world) == 1
        async with world.db.reading() as session:
            theirs = await session.scalar(select(func.max(LoginSession.id)))
        which = str(theirs) if end == "the device" else end
        assert (await ada.submit("/settings/sessions", end=which)).status_code == 303
        assert await ways_in(world) == 0


async def test_an_address_asked_for_before_signing_out_here_is_confirmed_elsewhere(
    world: World,
) -> None:
    ada = await world.person("ada")
    await asks_for_another_address(ada)
    async with world.db.writing() as session:
        mine = await session.scalar(select(LoginSession.id))
        await actions.end_session(session, mine or 0, ada.id)
    assert await ways_in(world) == 1
