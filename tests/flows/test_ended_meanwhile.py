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

from microblog.accounts.model import Account, Ban
from microblog.admissions import applications
from microblog.admissions.applications import Asking
from microblog.admissions.model import Application, Invitation
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.identities.model import Identity
from microblog.kernel.db import Database
from microblog.mail.outbox import Email
from microblog.moderation import actions as moderation
from microblog.moderation import appeals
from microblog.moderation.model import Entry
from microblog.settings import Settings
from microblog.signin import actions
from microblog.signin.model import EmailChange, LoginSession, Passkey, SecondFactor
from microblog.signin.passwords import hashed
from microblog.site_settings.model import SiteSetting
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


# -- those who look after others ---------------------------------------------------------------


def sends(path: str, **fields: str) -> Act:
    def act(person: Person) -> Awaitable[Response]:
        return person.submit(path, **fields)

    return act


async def lets_somebody_in(person: Person) -> Response:
    return await person.submit(await _linked(person, "applications"), decision="approve")


async def takes_the_invitation_back(person: Person) -> Response:
    return await person.submit(await _linked(person, "invitations"))


async def _linked(person: Person, where: str) -> str:
    found = re.search(rf'"(/admin/{where}/\d+[^"]*)"', await person.page(f"/admin/{where}"))
    assert found
    return found[1]


MODERATING: tuple[Act, ...] = (
    sends("/admin/people/2", act="silence", reason="Adverts."),
    sends("/admin/people/2", act="unsilence"),
    sends("/admin/people/2", act="end_sessions"),
    sends("/admin/people/3", act="suspend", reason="Adverts.", days="7"),
    sends("/admin/people/3", act="lift"),
    sends("/admin/reports/1", outcome="delete_post", reason="Insults."),
    sends("/admin/reports/2", outcome="dismiss"),
    sends("/admin/appeals/1", decision="grant"),
    lets_somebody_in,
    sends("/admin/bans", kind="domain", value="spam.example"),
    sends("/admin/bans/1/delete"),
    sends("/admin/invitations", note="For Henry", uses="1", days="7"),
    takes_the_invitation_back,
    sends("/admin/settings", name="Ours", sign_up="open", inviters="members",
          invitations_each="5", post_limit="400"),
)  # fmt: skip


async def much_to_do(world: World) -> Person:
    """An administrator; an appeal, two reports and an application wait."""
    ada, david = await world.person("ada"), await world.person("david")
    grace, vera = await world.person("grace"), await world.person("vera")
    async with world.db.writing() as session:
        for one in (ada, vera):
            (await session.get_one(Account, one.id)).role = "administrator"
    post = await david.posts("You are all fools")
    await grace.submit(f"/posts/{post}/report", category="harassment")
    await david.submit("/@grace/report", category="spam")
    asking = Asking("henry", "I keep bees.", email="henry@example.org", password_hash="a hash")
    async with world.db.writing() as session:
        await moderation.silence(session, vera.id, david.id, reason="Loud.")
        await appeals.file(session, await session.get_one(Entry, 1), "I was not.")
        await applications.file(session, asking, proven=True)
    return ada


async def traces(world: World) -> list[int]:
    kinds = (Entry.id, Ban.id, Invitation.id, Invitation.withdrawn_at, Application.id, Email.id,
             SiteSetting.name)  # fmt: skip
    async with world.db.reading() as session:
        return [await session.scalar(select(func.count(one))) or 0 for one in kinds]


async def test_whoever_looked_after_others_does_so_no_more(
    world: World, waiting: asyncio.Event
) -> None:
    ada = await much_to_do(world)
    for number, act in enumerate(MODERATING):
        thief = await world.on_another_device(ada)
        before = await traces(world)
        refused = await ended_while(world, waiting, thief, act)
        waiting.clear()
        assert refused.status_code == 403, number
        assert "signed out in the meantime" in await refused.get_data(as_text=True), number
        assert await traces(world) == before, number
        assert (await act(ada)).status_code == 303, number
        assert await traces(world) != before, number


async def test_nor_does_who_has_lost_the_role(world: World, waiting: asyncio.Event) -> None:
    ada = await much_to_do(world)
    mo = await world.person("mo")
    acts = (MODERATING[3], MODERATING[5], MODERATING[9])
    for act in acts:
        async with world.db.writing() as session:
            (await session.get_one(Account, mo.id)).role = "administrator"
        device = await world.on_another_device(mo)
        before = (await traces(world))[:4]
        async with asyncio.TaskGroup() as tasks, world.db.writing() as session:
            acting = tasks.create_task(act(device))
            async with asyncio.timeout(10):
                await waiting.wait()
            await moderation.set_role(session, ada.id, mo.id, role="member")
        waiting.clear()
        assert acting.result().status_code == 403
        assert (await traces(world))[:4] == [before[0] + 1, *before[1:]]  # that of the role
