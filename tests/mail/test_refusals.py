"""SECURITY §3 on the wire: the server refuses, defers, hangs, or goes away."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from microblog.kernel import clock
from microblog.mail import pause, smtp

from .conftest import later, resume
from .servers import DROP, HANG, TAKE_AND_DROP, TAKE_AND_HANG, ScriptedServer


@pytest.fixture
def impatient(monkeypatch):
    for name in ("CONNECT", "COMMAND", "DATA", "GOODBYE"):
        monkeypatch.setattr(smtp, name, 0.2)


async def one_try(office, scripted, **options):
    email_id = await office.write(payload={"account_id": 7})
    await office.sender_to(scripted, **options).step()
    return await office.email(email_id)


LATER = [
    {"banner": "421 busy"},
    {"banner": HANG},
    {"banner": DROP},
    {"banner": "what is this"},
    {"EHLO": "550 no", "HELO": "550 no"},
    {"EHLO": DROP},
    *[{"MAIL": f"{code} later"} for code in (421, 450, 451, 452)],
    {"MAIL": HANG},
    {"MAIL": DROP},
    *[{"RCPT": f"{code} later"} for code in (421, 450, 451, 452)],
    {"RCPT": "452 4.7.28 too fast"},
    {"RCPT": DROP},
    {"DATA": "451 later"},
    {"DATA": DROP},
    {"DATA": "250 confused"},
    *[{"dot": f"{code} later"} for code in (421, 450, 451, 452)],
    {"dot": DROP},
    {"dot": HANG},
]


@pytest.mark.parametrize("script", LATER, ids=str)
async def test_deferred_and_tried_again(office, scripted, impatient, script):
    scripted.script = {verb: [told] for verb, told in script.items()}
    email = await one_try(office, scripted)

    assert (email.state, email.tries) == ("deferred", 1)
    assert 0.75 < later(email.due_at) < 1.25
    assert email.reason
    assert email.content is not None
    assert scripted.taken == []

    await office.let_time_pass(minutes=2)
    resume(office.senders[0])
    await office.senders[0].step()
    assert await office.states() == ["sent"]
    assert len(scripted.taken) == 1


async def test_the_answer_given_is_kept_with_the_email(office, scripted):
    scripted.script = {"RCPT": "450 4.2.0 greylisted, come back"}
    assert (await one_try(office, scripted)).reason == "450 4.2.0 greylisted, come back"


async def test_421_ends_the_session_and_a_new_one_is_begun(office, scripted):
    scripted.script = {"MAIL": ["421 too many from you"]}
    for _ in range(3):
        await office.write()

    await office.sender_to(scripted, lines=1).step()

    assert sorted(await office.states()) == ["deferred", "sent", "sent"]
    assert scripted.connections == 2


async def test_an_address_refused_for_good_is_told_to_the_house(office, scripted):
    scripted.script = {"RCPT": ["550 5.1.1 no such user"]}
    await office.write(payload={"account_id": 7})
    await office.write(payload={"account_id": 8})

    await office.sender_to(scripted, lines=1).step()

    refused, sent = await office.emails()
    assert (refused.state, refused.reason) == ("dead", "550 5.1.1 no such user")
    assert (refused.content, refused.payload) == (None, {})
    assert sent.state == "sent"
    assert await office.events() == [("MailRefused", {"email_id": refused.id, "account_id": 7})]
    assert scripted.connections == 1, "a refused address is no reason to hang up"


@pytest.mark.parametrize(
    "script",
    [
        {"MAIL": ["554 5.7.1 we do not like you"]},
        {"RCPT": ["554 5.7.1 relay access denied"]},
        {"DATA": ["554 no"]},
        {"dot": ["554 5.7.1 this is spam"]},
    ],
    ids=str,
)
async def test_a_message_refused_for_good_blames_no_address(office, scripted, script, caplog):
    scripted.script = deepcopy(script)  # the server eats it
    email = await one_try(office, scripted)

    assert (email.state, email.content, email.payload) == ("dead", None, {})
    assert await office.events() == []
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


async def test_a_server_that_wants_none_of_it_costs_one_email_a_try(office, scripted):
    scripted.script = {"banner": "554 no SMTP service here"}
    for _ in range(5):
        await office.write()
    sender = office.sender_to(scripted)

    await sender.step()
    await sender.step()

    assert sorted(await office.states()) == ["dead", *["queued"] * 4]
    assert sender.trouble == "554 no SMTP service here"


async def test_a_server_that_is_away_costs_one_email_a_try(office):
    async with ScriptedServer().open() as server:
        pass
    for _ in range(5):
        await office.write()
    sender = office.sender_to(server)

    await sender.step()
    await sender.step()
    assert sorted(await office.states()) == ["deferred", *["queued"] * 4]
    assert "Connect call failed" in sender.trouble

    async with server.open(server.port):
        resume(sender)
        await sender.step()
        assert sorted(await office.states()) == ["deferred", *["sent"] * 4]
        assert sender.trouble is None


async def test_a_pause_that_is_over_before_all_have_seen_it_leaves_no_email_lying(
    office, scripted, monkeypatch
):
    monkeypatch.setattr(pause, "FIRST", 0.05)
    scripted.script = {"banner": ["421 busy"]}
    await office.write_many(40)  # more than are few, so that nobody looks for more
    sender = office.sender_to(scripted)
    async with asyncio.timeout(10):
        await sender.step()  # it has no lane left, and must not wait for one
        resume(sender)
        await sender.step()

    states = Counter(await office.states())
    assert states == {"sent": 39, "deferred": 1}


async def test_connection_lost_before_the_last_word_sends_the_same_bytes_again(office, scripted):
    scripted.script = {"dot": [TAKE_AND_DROP]}
    await one_try(office, scripted)
    await office.let_time_pass(minutes=2)
    await office.senders[0].step()

    assert await office.states() == ["sent"]
    first, second = scripted.taken
    assert first == second
    assert len(set(scripted.message_ids)) == 1


async def test_waiting_for_the_last_word_ends_at_some_time(office, scripted, impatient):
    scripted.script = {"dot": [TAKE_AND_HANG]}
    email = await one_try(office, scripted)
    assert (email.state, email.reason) == ("deferred", "Timed out waiting for server response")


def test_the_last_word_is_waited_for_ten_minutes():
    assert smtp.DATA >= 600


async def test_a_line_that_hangs_holds_up_no_other_email(office, scripted, impatient, monkeypatch):
    monkeypatch.setattr(smtp, "DATA", 1.0)
    scripted.script = {"dot": [HANG]}
    for _ in range(20):
        await office.write()

    await office.sender_to(scripted).step()

    assert sorted(await office.states()) == ["deferred", *["sent"] * 19]


@pytest.mark.parametrize("quit_", ["500 what", HANG, DROP, "421 no"])
async def test_a_failing_goodbye_changes_nothing(office, scripted, impatient, quit_):
    scripted.script = {"QUIT": quit_}
    email_id = await office.write()
    sender = office.sender_to(scripted)
    await sender.step()
    await sender.stop()

    assert (await office.email(email_id)).state == "sent"
    assert "QUIT" in scripted.heard
    assert len(scripted.taken) == 1


async def test_a_server_closing_at_leisure_costs_no_try(office, scripted):
    scripted.script = {"MAIL": ["250 ok", DROP]}
    await office.write()
    sender = office.sender_to(scripted, lines=1)
    await sender.step()
    await office.write()
    await sender.step()

    assert await office.states() == ["sent", "sent"]
    assert [each.tries for each in await office.emails()] == [1, 1]


async def test_without_starttls_nothing_is_said(office, scripted):
    email = await one_try(office, scripted, security="starttls")

    assert email.state == "deferred"
    assert "STARTTLS" in email.reason
    assert "MAIL" not in scripted.heard


async def test_a_refused_sign_in_stops_the_queue_and_kills_nothing(office, scripted):
    scripted.script = {"EHLO": "250-mx.test\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 wrong password"}
    for _ in range(5):
        await office.write()
    sender = office.sender_to(scripted, user="u", password="p")

    await sender.step()
    await sender.step()

    assert await office.states() == ["queued"] * 5
    assert [each.tries for each in await office.emails()] == [0] * 5
    assert sender.stopped == "535 5.7.8 wrong password"
    assert scripted.connections == 1

    scripted.script["AUTH"] = "235 welcome"
    resume(sender)
    await sender.step()
    assert await office.states() == ["sent"] * 5
    assert sender.stopped is None


async def test_four_days_are_enough(office, scripted):
    scripted.script = {"MAIL": "451 later"}
    email = await one_try(office, scripted)
    await office.change(give_up_at=email.due_at)
    await office.let_time_pass(minutes=2)

    await office.senders[0].step()

    (email,) = await office.emails()
    assert (email.state, email.reason) == ("dead", "given up: 451 later")
    assert (email.content, email.payload) == (None, {})
    assert await office.events() == []


async def test_a_try_that_would_come_too_late_is_not_waited_for(office, scripted):
    scripted.script = {"MAIL": "451 later"}
    await office.write(give_up=timedelta(seconds=40))

    await office.sender_to(scripted).step()

    assert await office.states() == ["dead"]


async def test_a_clock_set_forward_by_days_gives_up_nothing(office, scripted, monkeypatch):
    """Neither what was never tried nor what the server defers meanwhile."""
    await office.write()
    await office.write()
    monkeypatch.setattr(clock._doubtful, "_began_at", clock.now() - timedelta(days=30))
    await office.let_time_pass(days=30)
    scripted.script = {"MAIL": "451 later"}
    sender = office.sender_to(scripted)

    await sender.step()

    assert await office.states() == ["deferred"] * 2
    scripted.script = {}
    await office.change(due_at=datetime.now(UTC))
    await sender.step()
    assert await office.states() == ["sent"] * 2


async def test_tries_become_rarer(office, scripted):
    scripted.script = {"MAIL": "451 later"}
    await office.write()
    sender = office.sender_to(scripted)
    waits = []
    for _ in range(6):
        await office.change(due_at=datetime.now(UTC))
        await sender.step()
        (email,) = await office.emails()
        waits.append(later(email.due_at))

    assert email.tries == 6
    assert waits == pytest.approx([1, 5, 15, 30, 60, 120], rel=0.21)
