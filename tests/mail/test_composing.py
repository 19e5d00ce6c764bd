"""A mail that cannot be written parks its own row and nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import NoResultFound

from microblog.kernel.errors import NotFound
from microblog.mail.letters import Letter
from microblog.mail.outbox import Email

from .conftest import compose, later

MISTAKES = [KeyError("post_id"), ValueError("no"), RuntimeError("no"), NotFound(), NoResultFound()]


@pytest.mark.parametrize("mistake", MISTAKES, ids=repr)
async def test_a_composer_s_mistake_parks_that_email_only(office, server, mistake):
    async def fails(session, payloads):
        session.add(Email(kind="left behind", payload={}, message_id="x"))
        raise mistake

    office.compose = {"note": compose, "bad": fails}
    await office.write()
    bad_id = await office.write("bad", {"post_id": 7})
    await office.write()

    await office.sender_to(server).step()

    assert await office.states() == ["sent", "dead", "sent"]
    bad = await office.email(bad_id)
    assert bad.reason == f"composing failed: {type(mistake).__name__}"
    assert bad.payload == {}


async def test_a_broken_constraint_parks_that_email_only(office, server):
    async def fails(session, payloads):
        await session.execute(text("INSERT INTO emails (id) VALUES (1)"))

    office.compose = {"note": compose, "bad": fails}
    await office.write("bad")
    await office.write()

    await office.sender_to(server).step()

    assert await office.states() == ["dead", "sent"]


@pytest.mark.parametrize(
    "letter",
    [
        Letter("password_reset", "susan@example.org", "en", {"name": "Susan"}),
        Letter("no_such_template", "susan@example.org", "en", {}),
        Letter("password_reset", "susan@example.org\r\nBcc: x@evil.example", "en", {}),
        Letter("password_reset", "", "en", {}),
        Letter("password_reset", "a@b.example", "en", {"url": "u", "name": 7, "minutes": 30}),
    ],
    ids=str,
)
async def test_a_letter_that_cannot_be_rendered_parks_that_email_only(office, server, letter):
    async def unfit(session, payloads):
        return letter

    office.compose = {"note": compose, "bad": unfit}
    await office.write()
    bad_id = await office.write("bad", {"account_id": 7})
    await office.write()

    await office.sender_to(server).step()

    assert await office.states() == ["sent", "dead", "sent"]
    bad = await office.email(bad_id)
    assert bad.reason.startswith("rendering failed: ")
    assert (bad.content, bad.payload) == (None, {})
    assert await office.events() == []


async def test_a_kind_of_a_newer_version_waits_for_it(office, server):
    email_id = await office.write("poll_ended")
    await office.sender_to(server).step()

    email = await office.email(email_id)
    assert (email.state, email.tries) == ("deferred", 1)
    assert "poll_ended" in email.reason
    assert 0.75 < later(email.due_at) < 1.25


async def test_an_email_whose_composing_always_ends_the_process_is_given_up(office, server):
    await office.write()
    await office.change(fence=40)
    await office.sender_to(server).step()
    assert await office.states() == ["dead"]
