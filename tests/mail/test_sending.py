"""An email on its way, when nothing goes wrong."""

from __future__ import annotations

import re

from microblog.mail import queries
from microblog.mail.letters import Cancelled, Letter
from microblog.mail.transport import KeepTransport

from .conftest import compose, later


async def test_a_due_email_is_sent_to_its_one_recipient(office, server):
    email_id = await office.write()

    await office.sender_to(server).step()

    (received,) = server.received
    assert received.recipients == ["susan@example.org"]
    assert received.letter["Subject"] == "Set a new password for Microblog"
    assert (await office.email(email_id)).state == "sent"
    assert later((await office.email(email_id)).sent_at) > -1


async def test_secrets_are_wiped_once_sent(office, server):
    email_id = await office.write(payload={"account_id": 7, "to": "ada@example.org"})

    await office.sender_to(server).step()

    assert b"secret-1" in server.received[0].content
    email = await office.email(email_id)
    assert email.content is None
    assert email.payload == {}
    assert email.lease_owner is None


async def test_an_email_is_held_until_it_is_due(office, server):
    await office.write(hold=120)
    sender = office.sender_to(server)

    await sender.step()
    assert server.received == []
    assert await office.states() == ["queued"]

    await office.let_time_pass(seconds=121)
    await sender.step()
    assert await office.states() == ["sent"]


async def test_what_is_gone_by_then_is_cancelled(office, server):
    async def seen(session, payloads):
        return Cancelled("seen on screen")

    office.compose = {"note": seen}
    email_id = await office.write(payload={"post_id": 7})

    await office.sender_to(server).step()

    email = await office.email(email_id)
    assert (email.state, email.reason, email.payload) == ("cancelled", "seen on screen", {})
    assert server.received == []


async def test_many_emails_share_few_connections(office, server):
    await office.write_many(100)

    sender = office.sender_to(server)
    await sender.step()
    await office.write(payload={"to": "p100@example.org"})
    await sender.step()

    recipients = [to for each in server.received for to in each.recipients]
    assert sorted(recipients) == sorted(f"p{n}@example.org" for n in range(101))
    assert server.connections <= 4
    ids = {letter["Message-ID"] for letter in server.letters}
    assert len(ids) == 101
    assert all(re.fullmatch(r"<[0-9a-f]{32}@social\.example>", each) for each in ids)


async def test_an_idle_outbox_is_never_written_to(office, server):
    await office.write(hold=60)
    sender = office.sender_to(server)
    rung = office.db.follow()

    await sender.step()

    assert not rung.is_set()
    async with office.db.reading() as session:
        assert 0.9 < later(await queries.oldest_due(session)) < 1.1


async def test_without_a_server_emails_stay_queued(office):
    await office.write()

    await office.sender(None).step()

    assert await office.states() == ["queued"]
    async with office.db.reading() as session:
        depth = await queries.queue_depth(session)
    assert depth == {"queued": 1, "deferred": 0, "leased": 0}


async def test_under_dev_letters_are_kept_to_be_read(office):
    email_id = await office.write()
    waiting_id = await office.write(hold=60)

    await office.sender(KeepTransport()).step()

    async with office.db.reading() as session:
        waiting, kept = await queries.kept(session)
        letter = await queries.kept_letter(session, email_id)
        assert await queries.kept_letter(session, waiting_id) is None
        assert await queries.kept_letter(session, 999) is None
    assert (kept.id, kept.state, kept.to) == (email_id, "sent", "susan@example.org")
    assert kept.subject == "Set a new password for Microblog"
    assert (waiting.id, waiting.state, waiting.kind) == (waiting_id, "queued", "note")
    assert waiting.subject is None
    assert "https://social.example/password/reset/secret-1" in letter.text
    assert "secret-1" in letter.html
    assert ("Auto-Submitted", "auto-generated") in letter.headers
    assert letter.raw.startswith("From: ")


async def test_a_composer_may_write_in_the_same_transaction(office, server):
    async def and_another(session, payloads):
        from microblog.mail.outbox import enqueue  # noqa: PLC0415

        await enqueue(session, "note", {"to": "second@example.org"})
        return await compose(session, payloads)

    office.compose = {"note": compose, "double": and_another}
    await office.write("double")

    await office.sender_to(server).step()

    assert len(server.received) == 2


async def test_letters_come_in_the_reader_s_language_with_its_catalogue(office, server):
    async def spanish(session, payloads):
        letter = await compose(session, payloads)
        return Letter(letter.template, letter.to, "es", letter.context)

    office.compose = {"note": spanish}
    await office.write()
    await office.sender_to(server).step()
    assert '<html lang="es">' in server.letters[0].get_body(("html",)).get_content()
