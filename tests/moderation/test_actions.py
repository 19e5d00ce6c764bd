"""What moderators do, what it does to people, and that it stands in the log."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from microblog.accounts import queries as accounts
from microblog.accounts.events import AccountHidden
from microblog.accounts.model import Account
from microblog.kernel import events
from microblog.kernel.clock import now
from microblog.kernel.errors import DomainError, Forbidden, Invalid, NotFound
from microblog.moderation import actions, queries
from microblog.moderation.model import Entry
from microblog.notifications import queries as notifications
from microblog.posts import queries as posts
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import LoginSession
from microblog.timelines import queries as timelines
from tests.moderation.conftest import House, with_role
from tests.world import Person


async def suspend(house: House, by: Person, whom: Person, days: int | None = None) -> None:
    async with house.world.db.writing() as session:
        await actions.suspend(session, by.id, whom.id, reason="Insults.", days=days)


async def entries(house: House) -> list[Entry]:
    async with house.world.db.reading() as session:
        return list(await session.scalars(select(Entry).order_by(Entry.id)))


async def events_of(house: House, kind: type) -> list[object]:
    async with house.world.db.reading() as session:
        log = [logged.event() for logged in await events.after(session, 0, 10_000)]
    return [event for event in log if isinstance(event, kind)]


async def test_who_is_suspended_is_signed_out_and_gone_from_every_list(house: House) -> None:
    world, susan, david = house.world, house.susan, house.david
    await david.follows(susan)
    await susan.follows(david)
    post = await susan.posts("Hello @david #bees")
    await world.settle()
    await suspend(house, house.mo, susan)
    async with world.db.reading() as session:
        assert not (await session.scalars(
            select(LoginSession.id).where(LoginSession.account_id == susan.id)
        )).all()  # fmt: skip
        assert await posts.views(session, [post]) == {}
        assert await accounts.cards(session, [susan.id]) == {}
        assert await notifications.page(session, david.id) == []
        with pytest.raises(NotFound):
            await accounts.by_name(session, "susan")
    assert (await david.get("/@susan")).status_code == 404
    assert "Hello @david" not in await david.page("/")
    assert "@susan" not in await david.page("/@david/followers")
    assert len(await events_of(house, LoginSessionEnded)) == 1
    assert await events_of(house, AccountHidden) == [AccountHidden(susan.id)]
    assert (await susan.get("/settings/account")).status_code in (302, 303, 401)


async def test_what_a_suspended_person_wrote_reaches_nobody_later(house: House) -> None:
    await house.susan.posts("Hello @david")  # the consumer has not seen it yet
    await suspend(house, house.mo, house.susan)
    await house.world.settle()
    async with house.world.db.reading() as session:
        assert await notifications.unread(session, house.david.id) == 0
    assert [letter.kind for letter in await house.world.letters()] == ["moderated"]


async def test_all_is_back_when_the_suspension_is_lifted(house: House) -> None:
    post = await house.susan.posts("Hello")
    await suspend(house, house.mo, house.susan)
    async with house.world.db.writing() as session:
        await actions.lift(session, house.mo.id, house.susan.id)
        await actions.lift(session, house.mo.id, house.susan.id)
    async with house.world.db.reading() as session:
        assert post in await posts.views(session, [post])
    assert [entry.act for entry in await entries(house)] == ["suspend", "lift"]


async def test_a_suspension_ends_by_itself(house: House) -> None:
    await suspend(house, house.mo, house.susan, days=1)
    await suspend(house, house.mo, house.david)
    async with house.world.db.writing() as session:
        assert not await actions.lift_ended(session)
        over = update(Account).where(Account.id == house.susan.id)
        await session.execute(over.values(suspended_until=now() - timedelta(seconds=1)))
    async with house.world.db.writing() as session:
        assert await actions.lift_ended(session)
    assert (await house.account(house.susan)).suspended_at is None
    assert (await house.account(house.david)).suspended_at is not None
    last = (await entries(house))[-1]
    assert (last.act, last.actor_id, last.account_id) == ("lift", None, house.susan.id)


async def test_who_is_leaving_is_not_shown_again_by_lifting_a_suspension(house: House) -> None:
    moment = now()
    async with house.world.db.writing() as session:
        leaving = update(Account).where(Account.id == house.susan.id)
        await session.execute(leaving.values(leaving_at=moment, suspended_at=moment))
        await actions.lift(session, house.mo.id, house.susan.id)
    assert await entries(house) == []
    async with house.world.db.reading() as session:
        assert (await queries.person(session, house.susan.id)).suspended_at is None
        assert await queries.people(session, show="suspended") == []
    await suspend(house, house.mo, house.susan)
    async with house.world.db.reading() as session:
        assert (await queries.person(session, house.susan.id)).suspended_at is not None
    async with house.world.db.writing() as session:
        await actions.lift(session, house.mo.id, house.susan.id)
    account = await house.account(house.susan)
    assert account.suspended_at == account.leaving_at == moment


async def test_silenced_people_are_shown_to_followers_alone(house: House) -> None:
    world, susan, david = house.world, house.susan, house.david
    fan = await world.person("fan")
    await fan.follows(susan)
    async with world.db.writing() as session:
        await actions.silence(session, house.mo.id, susan.id, reason="Shouting.")
    post = await susan.posts("Hello @david and @fan #bees")
    await world.settle()
    async with world.db.reading() as session:
        assert await timelines.public(session) == []
        assert await timelines.tagged(session, "bees") == []
        assert await timelines.home(session, fan.id) == [post]
        assert await timelines.by_author(session, susan.id) == [post]
        assert await notifications.unread(session, david.id) == 0
        assert await notifications.unread(session, fan.id) == 1
        suggested = await accounts.suggestions(session, david.id, set(), 9)
        assert susan.id not in [one.id for one in suggested]
    async with world.db.writing() as session:
        await actions.unsilence(session, house.mo.id, susan.id)
    async with world.db.reading() as session:
        assert await timelines.public(session) == [post]
        assert await timelines.tagged(session, "bees") == [post]


async def test_a_post_is_deleted_and_the_log_keeps_what_it_said(house: House) -> None:
    post = await house.susan.posts("Something bad")
    async with house.world.db.writing() as session:
        await actions.delete_post(session, house.mo.id, post, reason="Against the rules.")
    async with house.world.db.reading() as session:
        assert (await posts.view(session, post)).deleted
    (entry,) = await entries(house)
    assert entry.before == {"body": "Something bad"}
    assert (entry.post_id, entry.account_id) == (post, house.susan.id)
    async with house.world.db.writing() as session:
        with pytest.raises(NotFound):
            await actions.delete_post(session, house.mo.id, post, reason="Again.")


async def test_nobody_acts_on_themselves_or_above_themselves(house: House) -> None:
    other = await with_role(house.world, "other", "moderator")
    for actor, target in (
        (house.mo, house.mo), (house.mo, house.ada), (house.mo, other), (house.susan, house.david),
        (house.susan, house.susan), (house.ada, house.ada),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            await suspend(house, actor, target)
    async with house.world.db.writing() as session:
        with pytest.raises(Forbidden):
            await actions.set_role(session, house.mo.id, house.susan.id, role="moderator")
    assert await entries(house) == []


async def test_who_is_suspended_acts_no_more(house: House) -> None:
    await suspend(house, house.ada, house.mo)
    with pytest.raises(Forbidden):
        await suspend(house, house.mo, house.susan)


async def test_a_new_role_ends_sessions_and_stands_in_the_log(house: House) -> None:
    async with house.world.db.writing() as session:
        await actions.set_role(session, house.ada.id, house.susan.id, role="moderator")
    (entry,) = await entries(house)
    assert (entry.before["role"], entry.after["role"]) == ("member", "moderator")
    assert len(await events_of(house, LoginSessionEnded)) == 1
    async with house.world.db.writing() as session:
        with pytest.raises(Invalid):
            await actions.set_role(session, house.ada.id, house.susan.id, role="king")


async def test_of_two_administrators_who_demote_one_another_one_stays(house: House) -> None:
    eve = await with_role(house.world, "eve", "administrator")

    async def demote(actor: Person, target: Person) -> None:
        async with house.world.db.writing() as session:
            await actions.set_role(session, actor.id, target.id, role="member")

    outcomes = await asyncio.gather(
        demote(house.ada, eve), demote(eve, house.ada), return_exceptions=True
    )
    assert sum(isinstance(one, DomainError) for one in outcomes) == 1
    roles = {(await house.account(one)).role for one in (house.ada, eve)}
    assert roles == {"administrator", "member"}


@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "x" * 1001])
async def test_a_suspension_needs_a_reason(house: House, reason: str) -> None:
    async with house.world.db.writing() as session:
        with pytest.raises(Invalid):
            await actions.suspend(session, house.mo.id, house.susan.id, reason=reason)
        with pytest.raises(Invalid):
            await actions.suspend(session, house.mo.id, house.susan.id, reason="So.", days=2)


async def test_the_public_part_of_the_log_tells_no_private_acts(house: House) -> None:
    async with house.world.db.writing() as session:
        await actions.end_sessions(session, house.mo.id, house.susan.id)
        await actions.silence(session, house.mo.id, house.susan.id, reason="Shouting.")
    async with house.world.db.reading() as session:
        assert [one.act for one in await queries.entries(session, public=True)] == ["silence"]
        assert len(await queries.entries(session)) == 2


async def test_people_are_found_by_name_address_and_state(house: House) -> None:
    await suspend(house, house.mo, house.susan)
    async with house.world.db.reading() as session:

        async def names(**asked: str) -> list[str]:
            return [one.name for one in await queries.people(session, **asked)]

        assert await names(find="@Sus") == ["susan"]
        assert await names(find="david@example.org") == ["david"]
        assert await names(find="%") == []
        assert await names(find="_") == []
        assert await names(find="sus\0") == ["susan"]  # which PostgreSQL takes in no text
        assert await names(show="suspended") == ["susan"]
        assert await names(show="staff") == ["mo", "ada"]
        assert await names() == ["david", "susan", "mo", "ada"]
