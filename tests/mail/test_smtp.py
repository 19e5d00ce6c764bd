"""The way out to a real server: TLS, sign-in, kept connections."""

from __future__ import annotations

import pytest

from microblog.mail import smtp
from microblog.mail.letters import Letter
from microblog.settings import Smtp

from .servers import RealServer, checks_password


async def test_starttls_with_sign_in(office, tls, trust):
    options = {"tls_context": tls, "require_starttls": True, "auth_require_tls": True}
    authenticator = checks_password(b"user", b"pa:ss@word")
    async with RealServer(authenticator=authenticator, **options).open() as server:
        await office.write()
        sender = office.sender_to(server, "starttls", tls=trust, user="user", password="pa:ss@word")
        await sender.step()
        await sender.stop()

        assert await office.states() == ["sent"]
        assert len(server.received) == 1


async def test_implicit_tls(office, tls, trust):
    async with RealServer(implicit_tls=tls).open() as server:
        await office.write()
        sender = office.sender_to(server, "tls", tls=trust)
        await sender.step()
        await sender.stop()

        assert await office.states() == ["sent"]


async def test_a_wrong_password_stops_the_queue(office, tls, trust):
    authenticator = checks_password(b"user", b"right")
    async with RealServer(authenticator=authenticator, tls_context=tls).open() as server:
        await office.write()
        sender = office.sender_to(server, "starttls", tls=trust, user="user", password="wrong")
        await sender.step()

        assert await office.states() == ["queued"]
        assert sender.stopped.startswith("535 5.7.8")
        assert "wrong" not in sender.stopped


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_is_not_trusted(office, tls, security):
    implicit = {"implicit_tls": tls} if security == "tls" else {"tls_context": tls}
    async with RealServer(**implicit).open() as server:
        await office.write()
        await office.sender_to(server, security).step()

        (email,) = await office.emails()
        assert email.state == "deferred"
        assert "certificate verify failed" in email.reason
        assert server.received == []


async def test_an_unknown_host_defers(office, server):
    server.settings = lambda *_: Smtp("no-such-host.invalid", 25, "plain")
    await office.write()
    await office.sender_to(server).step()
    assert await office.states() == ["deferred"]


async def test_a_connection_is_changed_after_many_messages(office, server, monkeypatch):
    monkeypatch.setattr(smtp, "MOST", 3)
    for _ in range(7):
        await office.write()
    await office.sender_to(server, lines=1).step()
    assert len(server.received) == 7
    assert server.connections == 3


async def test_an_idle_connection_is_asked_first_and_closed_at_last(office, scripted, monkeypatch):
    await office.write()
    sender = office.sender_to(scripted, lines=1)
    await sender.step()
    assert "QUIT" not in scripted.heard

    monkeypatch.setattr(smtp, "UNTOUCHED", 0.0)
    await office.write()
    await sender.step()
    assert scripted.heard.count("RSET") == 1
    assert scripted.connections == 1

    monkeypatch.setattr(smtp, "IDLE", 0.0)
    await sender.step()
    assert scripted.heard[-1] == "QUIT"
    assert len(scripted.taken) == 2


async def test_the_bytes_go_out_as_they_are(office, scripted):
    async def dotted(session, payloads):
        return follow_letter("first\n.\n..\n.hidden\n")

    office.compose = {"note": dotted}
    await office.write()
    await office.sender_to(scripted).step()

    (raw,) = scripted.taken
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 100
    assert b"\n" not in raw.replace(b"\r\n", b"")


def follow_letter(bio: str):
    actor = {"name": "ada", "display_name": "Ada", "bio": bio, "url": "https://social.example/@ada"}
    return Letter("follow", "susan@example.org", "en", {"name": "Susan", "actor": actor})
