"""Whoever works on an email, it is sent once; whoever dies, it is sent all the same."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from microblog.kernel.db import Database
from microblog.mail import leases, outbox, settling, supply
from microblog.mail.answers import SENT
from microblog.mail.smtp import SmtpTransport
from microblog.settings import Smtp

from .conftest import SENDER, Office, compose, later, until
from .servers import HANG


async def test_two_senders_on_one_file_never_send_twice(office, server):
    await office.write_many(120)
    other_db = Database(str(office.db.url))
    other = Office(other_db)
    one, two = office.sender_to(server, owner="one"), other.sender_to(server, owner="two")

    await asyncio.gather(one.step(), two.step())

    counted = Counter(to for each in server.received for to in each.recipients)
    assert counted == {f"p{n}@example.org": 1 for n in range(120)}
    assert set(await office.states()) == {"sent"}
    await two.stop()
    await other_db.close()


async def killed_after_the_250(office, server):
    """A sender whose server took the mail, and that never wrote it down."""
    sender = office.sender_to(server, owner="killed")
    waiting = asyncio.Event()

    async def never(lease, verdict):
        waiting.set()
        await asyncio.Event().wait()

    async def nothing():
        pass

    sender._settlements.add = never
    sender._supply.give_back = nothing
    task = asyncio.ensure_future(sender.step())
    await waiting.wait()
    task.cancel()
    await asyncio.wait([task])
    assert await office.states() == ["leased"]


async def test_killed_between_250_and_commit_the_duplicate_is_recognisable(office, server, at_once):
    await office.write()
    await killed_after_the_250(office, server)
    other = office.sender_to(server, owner="successor")

    await other.step()
    assert len(server.received) == 1, "the lease still runs"

    await office.let_time_pass(seconds=31)
    await other.step()
    first, second = server.received
    assert first.content == second.content
    assert first.letter["Message-ID"] == second.letter["Message-ID"]
    assert await office.states() == ["sent"]


async def test_killed_before_the_bytes_were_fixed_it_is_composed_again(office, server, at_once):
    email_id = await office.write()
    await office.change(state="leased", lease_owner="dead", fence=3, due_at=datetime.now(UTC))

    await office.sender_to(server).step()

    assert (await office.email(email_id)).state == "sent"
    assert (await office.email(email_id)).fence == 4


async def test_a_lease_is_short_and_renewed_while_its_owner_lives(office, scripted, monkeypatch):
    monkeypatch.setattr(supply, "RENEW", 0.05)
    scripted.script = {"dot": [HANG]}
    await office.write()
    sender = office.sender_to(scripted)
    beats = []
    sender.beat = lambda: beats.append(1)
    task = asyncio.ensure_future(sender.step())
    await until(lambda: "DATA" in scripted.heard)

    await office.change(due_at=datetime.now(UTC))
    beats.clear()
    await until(lambda: len(beats) >= 2)  # the second has begun since

    (email,) = await office.emails()
    assert 0.4 < later(email.due_at) <= 0.5
    task.cancel()
    await asyncio.wait([task])


async def test_what_is_leased_during_a_renewal_is_ours_too(office, server, monkeypatch):
    """On PostgreSQL both are under way at once."""
    await office.write_many(2)
    supplied = office.sender_to(server)._supply
    await supplied.more()
    old, done = supplied.take(), supplied.take()
    new = replace(old, id=old.id + 100)
    renew = leases.renew

    async def beside(*asked):
        kept = await renew(*asked)
        supplied._hold(time.monotonic(), [new])
        supplied.done(done)
        return kept

    monkeypatch.setattr(leases, "renew", beside)
    await supplied._renew()

    assert [supplied.holds(each) for each in (old, new, done)] == [True, True, False]


async def test_a_revived_worker_sends_nothing_that_others_have_taken(office, scripted, monkeypatch):
    """SECURITY R23: stopped for longer than its lease, then woken."""
    monkeypatch.setattr(supply, "TRUSTED", -1.0)
    for _ in range(5):
        await office.write()

    await office.sender_to(scripted).step()

    assert scripted.taken == []
    assert set(await office.states()) == {"leased"}


async def test_a_clock_set_forward_ends_no_lease_in_the_eyes_of_its_owner(office, server):
    """SECURITY R19: its own mails, in hand or just sent, must not look abandoned to it."""
    await office.write_many(3)
    sender = office.sender_to(server)
    await sender._supply.more()
    lease = sender._supply.take()
    await sender._settlements.add(lease, SENT)
    sender._supply.done(lease)

    await office.let_time_pass(hours=1)

    assert not await sender._supply.more()


async def test_nor_in_the_eyes_of_others_as_long_as_it_lives(office, server, monkeypatch):
    """Others see a lease that ran out an hour ago, and wait whether it is renewed."""
    await office.write_many(3)
    sender = office.sender_to(server, owner="alive")
    await sender._supply.more()
    await office.let_time_pass(hours=1)
    other = office.sender_to(server, owner="other")

    await other.step()
    assert server.received == []

    await sender._supply._renew()
    monkeypatch.setattr(other._supply._watch, "_seconds", 0.0)
    await other.step()
    assert server.received == []

    await sender._send_all(sender._transport)
    assert len(server.received) == 3
    assert await office.states() == ["sent"] * 3


async def test_who_does_not_renew_loses_it_in_time(office, server, monkeypatch):
    await office.write_many(3)
    await office.sender_to(server, owner="dead")._supply.more()
    await office.write_many(2)
    await office.let_time_pass(seconds=31)
    other = office.sender_to(server, owner="other")

    await other.step()
    assert await office.states() == ["leased"] * 3 + ["sent"] * 2, "others do not wait with it"

    monkeypatch.setattr(other._supply._watch, "_seconds", 0.0)  # as if it were over
    await other.step()
    assert await office.states() == ["sent"] * 5


async def test_a_revived_worker_can_change_nothing(office, server, at_once):
    email_id = await office.write()
    sleeper = office.sender_to(server, owner="sleeper")
    await sleeper._supply.more()
    lease = sleeper._supply.take()

    await office.let_time_pass(seconds=31)
    await office.sender_to(server, owner="other").step()
    await sleeper._settlements.add(lease, SENT)
    await sleeper._settlements.write()
    await sleeper._supply.give_back()

    email = await office.email(email_id)
    assert (email.state, email.tries, email.fence) == ("sent", 1, 2)
    assert len(server.received) == 1


async def test_stopping_lets_the_last_word_be_said(office, scripted):
    await office.write_many(20)
    sender = office.sender_to(scripted, lines=1)
    task = asyncio.ensure_future(sender.step())
    await until(lambda: "DATA" in scripted.heard)

    await sender.stop()
    taken = len(scripted.taken)
    await sender.step()

    assert task.done()
    assert len(scripted.taken) == taken < 20
    assert sorted(await office.states()) == ["queued"] * (20 - taken) + ["sent"] * taken
    assert scripted.heard[-1] == "QUIT"


async def test_stopping_cuts_a_server_that_does_not_answer(office, scripted):
    scripted.script = {"dot": HANG}
    for _ in range(3):
        await office.write()
    sender = office.sender_to(scripted, lines=1)
    task = asyncio.ensure_future(sender.step())
    await until(lambda: "DATA" in scripted.heard)

    async with asyncio.timeout(10):
        await sender.stop(within=0.1)

    assert task.done()
    assert sorted(await office.states()) == ["deferred", "queued", "queued"]


async def test_a_cancelled_step_gives_its_emails_back(office, scripted):
    scripted.script = {"MAIL": HANG}
    await office.write()
    task = asyncio.ensure_future(office.sender_to(scripted).step())
    await until(lambda: "MAIL" in scripted.heard)
    task.cancel()
    await asyncio.wait([task])

    (email,) = await office.emails()
    assert (email.state, email.tries) == ("queued", 0)
    assert later(email.due_at) <= 0


async def test_what_cannot_be_written_down_yet_is_tried_again(office, server, monkeypatch, caplog):
    monkeypatch.setattr(settling, "TRY_AGAIN", 0.01)
    await office.write()
    sender = office.sender_to(server)
    write, failures = sender._settlements.write, [1, 2, 3]

    async def write_in_the_end():
        if failures and sender._settlements._waiting:
            failures.pop()
            await locked()
        await write()

    sender._settlements.write = write_in_the_end
    await sender.step()

    assert await office.states() == ["sent"]
    assert len(server.received) == 1
    assert "database is locked" in caplog.text


async def test_a_full_settling_desk_slows_the_lines(office, server, monkeypatch):
    monkeypatch.setattr(settling, "MOST_WAITING", 2)
    for _ in range(20):
        await office.write()
    await office.sender_to(server).step()
    assert await office.states() == ["sent"] * 20


async def locked():
    raise OperationalError("UPDATE", {}, Exception("database is locked"))


async def test_trouble_of_the_database_while_composing_kills_no_email(office, server):
    async def unlucky(session, payloads):
        await locked()

    office.compose = {"note": unlucky}
    await office.write()
    sender = office.sender_to(server)

    with pytest.raises(OperationalError):
        await sender.step()

    assert await office.states() == ["queued"]
    sender._supply._compose = {"note": compose}
    await sender.step()
    assert await office.states() == ["sent"]


async def test_settled_emails_are_forgotten_in_time(office, server):
    await office.write()
    await office.sender_to(server).step()
    await office.write(hold=60)
    await office.let_time_pass(days=31)
    await office.write()
    async with office.db.writing() as session:
        await outbox.forget_settled(session, datetime.now(UTC) - timedelta(days=30))
    assert await office.states() == ["queued", "queued"]


def test_the_transport_sends_from_the_bare_address():
    transport = SmtpTransport(Smtp.parse("smtp://127.0.0.1"), SENDER.address)
    assert [line._sender for line in transport.lines] == ["hello@social.example"] * 4
