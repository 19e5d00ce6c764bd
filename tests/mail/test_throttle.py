"""Ten mails an hour to one person; what is over waits and comes as a digest."""

from __future__ import annotations

import asyncio

import pytest

from microblog.kernel.db import Database
from microblog.mail.composing import take
from microblog.mail.letters import DIGEST, Cancelled, Letter
from microblog.mail.watch import Watch

from .conftest import compose, later
from .servers import DROP


@pytest.fixture
def told(office):
    """What the digest composer was given."""
    told = []

    async def digest(session, payloads):
        told.append(payloads)
        return await compose(session, payloads)

    office.compose = {"mention": compose, "reply": compose, DIGEST: digest}
    return told


async def write(office, number: int, *, bundle: str | None = "account-7") -> None:
    for n in range(number):
        kind = "mention" if n % 2 else "reply"
        await office.write(kind, {"n": n, "account_id": 7}, bundle=bundle)


async def test_the_eleventh_waits_for_the_oldest_to_be_an_hour_old(office, server, told):
    await write(office, 10)
    sender = office.sender_to(server)
    await sender.step()
    await office.let_time_pass(minutes=20)
    await write(office, 3)
    await sender.step()

    emails = await office.emails()
    assert [each.state for each in emails] == ["sent"] * 10 + ["queued"] * 3
    assert [each.throttled for each in emails] == [False] * 10 + [True] * 3
    assert all(39 < later(each.due_at) < 40.1 for each in emails[10:])
    assert told == []


async def test_a_clock_that_was_a_year_ahead_holds_nobody_up(office, server, told):
    """SECURITY R19: set right, it must not make anybody wait for that year."""
    await write(office, 10)
    sender = office.sender_to(server)
    await sender.step()
    await office.let_time_pass(days=-365)
    await write(office, 1)
    await sender.step()
    assert await office.states() == ["sent"] * 11


async def test_all_at_once_are_counted_too(office, server, told):
    await write(office, 15)
    await office.sender_to(server).step()
    assert sorted(await office.states()) == ["queued"] * 5 + ["sent"] * 10


async def test_two_senders_count_together(office, told):
    """Both at once, on one database: neither sees what the other has only begun to take."""
    await write(office, 20)
    other = Database(office.db.url.render_as_string(hide_password=False))

    async def taken(db: Database, owner: str) -> int:
        async with db.writing_beside() as session:
            found = await take(
                session, owner, office.compose,
                most=12, hourly=10, carefully=False, watch=Watch(25.0),
            )  # fmt: skip
            await asyncio.sleep(0.2)
        return len(found.letters)

    assert sum(await asyncio.gather(taken(office.db, "one"), taken(other, "two"))) == 10
    await other.close()


async def test_those_that_waited_come_as_one_digest(office, server, told):
    await write(office, 15)
    sender = office.sender_to(server)
    await sender.step()
    waiting = [each for each in await office.emails() if each.state == "queued"]
    await office.let_time_pass(minutes=61)
    await sender.step()

    assert len(server.received) == 11
    (payloads,) = told
    assert [each["n"] for each in payloads] == [each.payload["n"] for each in waiting]
    assert {each["kind"] for each in payloads} == {"mention", "reply"}
    assert b"secret-5" in server.received[-1].content
    lead, *others = [await office.email(each.id) for each in waiting]
    assert (lead.state, lead.kind) == ("sent", DIGEST)
    assert {each.state for each in others} == {"cancelled"}
    assert {each.reason for each in others} == {f"in digest {lead.id}"}
    assert all(each.payload == {} for each in (lead, *others))


async def test_even_those_that_would_have_waited_longer_join(office, server, told):
    await write(office, 12)
    sender = office.sender_to(server)
    await sender.step()
    await office.let_time_pass(minutes=30)
    await write(office, 2)
    await sender.step()
    await office.let_time_pass(minutes=31)
    await sender.step()

    assert len(told[0]) == 4
    assert "queued" not in await office.states()


async def test_one_that_waited_alone_comes_as_itself(office, server, told):
    await write(office, 11)
    sender = office.sender_to(server)
    await sender.step()
    await office.let_time_pass(minutes=61)
    await sender.step()

    assert told == []
    assert len(server.received) == 11
    assert DIGEST not in {each.kind for each in await office.emails()}


async def test_a_digest_survives_its_process(office, server, told, at_once):
    await write(office, 13)
    sender = office.sender_to(server)
    await sender.step()
    await office.let_time_pass(minutes=61)
    await office.sender_to(server)._supply.more()
    await office.change(content=None)
    await office.let_time_pass(seconds=31)
    await sender.step()

    assert [len(payloads) for payloads in told] == [3, 3]
    assert len(server.received) == 11


async def test_a_digest_that_cannot_be_composed_loses_nothing_else(office, server, told):
    async def fails(session, payloads):
        raise KeyError("post")

    await write(office, 13)
    sender = office.sender_to(server)
    await sender.step()
    office.compose[DIGEST] = fails
    await office.let_time_pass(minutes=61)
    await sender.step()

    assert sorted(await office.states()) == ["dead"] * 2 + ["sent"] * 11


async def test_nothing_left_to_tell_cancels_the_digest(office, server, told):
    async def seen(session, payloads):
        return Cancelled("seen")

    await write(office, 13)
    sender = office.sender_to(server)
    await sender.step()
    office.compose[DIGEST] = seen
    await office.let_time_pass(minutes=61)
    await sender.step()
    assert sorted(await office.states()) == ["cancelled"] * 3 + ["sent"] * 10


async def test_one_person_s_limit_is_nobody_else_s(office, server, told):
    await write(office, 11)
    await write(office, 3, bundle="account-8")
    await write(office, 12, bundle=None)
    await office.sender_to(server).step()
    assert sorted(await office.states()) == ["queued"] + ["sent"] * 25


async def test_a_second_try_counts_and_joins_no_digest(office, scripted, told):
    scripted.script = {"dot": [DROP]}
    await write(office, 12)
    sender = office.sender_to(scripted, lines=1)
    await sender.step()
    assert sorted(await office.states()) == ["deferred"] + ["queued"] * 2 + ["sent"] * 9
    await office.let_time_pass(minutes=61)
    await sender.step()
    states = await office.states()
    assert states.count("cancelled") == 1
    assert len(told) == 1
    assert len(scripted.taken) == 11


async def test_the_limit_may_be_another(office, server, told):
    await write(office, 5)
    await office.sender_to(server, hourly=2).step()
    assert sorted(await office.states()) == ["queued"] * 3 + ["sent"] * 2
    assert isinstance(await compose(None, [{}]), Letter)
