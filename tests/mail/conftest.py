"""An outbox on a real SQLite file, and servers to empty it into."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from microblog.kernel.db import Database
from microblog.kernel.events import LoggedEvent
from microblog.mail import outbox, supply
from microblog.mail.addresses import sender_mailbox
from microblog.mail.letters import Letter
from microblog.mail.outbox import Email
from microblog.mail.render import Renderer
from microblog.mail.sender import MailSender
from microblog.mail.smtp import SmtpTransport

from .certificate import make_certificate
from .servers import RealServer, ScriptedServer, server_tls

TEMPLATES = Path(__file__).parents[2] / "templates"
BASE_URL = "https://social.example"
SENDER = sender_mailbox("hello@social.example", "Microblog")


async def compose(session, payloads) -> Letter:
    """A password reset to whoever the payload names."""
    to = payloads[0].get("to", "susan@example.org")
    url = f"{BASE_URL}/password/reset/secret-{len(payloads)}"
    context = {"name": "Susan", "url": url, "minutes": 30, "has_password": True}
    return Letter("password_reset", to, "en", context)


class Office:
    """The outbox with its senders, in words."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.render = Renderer(
            TEMPLATES, site_name="Microblog", base_url=BASE_URL, sender=SENDER, with_passwords=True
        )
        self.compose = {"note": compose}
        self.senders: list[MailSender] = []

    def sender(self, transport, *, owner: str = "test", **options) -> MailSender:
        self.senders.append(
            MailSender(self.db, self.compose, self.render, transport, owner=owner, **options)
        )
        return self.senders[-1]

    def sender_to(self, server, security="plain", *, lines=4, tls=None, **options) -> MailSender:
        login = {each: options.pop(each) for each in ("user", "password") if each in options}
        smtp = server.settings(security, **login)
        return self.sender(SmtpTransport(smtp, SENDER.address, lines=lines, tls=tls), **options)

    async def write(self, kind: str = "note", payload: dict | None = None, **options) -> int:
        async with self.db.writing() as session:
            await outbox.enqueue(session, kind, payload or {}, **options)
            return await session.scalar(select(Email.id).order_by(Email.id.desc()).limit(1))

    async def write_many(self, number: int) -> None:
        """To p0@example.org, p1@…"""
        async with self.db.writing() as session:
            for n in range(number):
                await outbox.enqueue(session, "note", {"to": f"p{n}@example.org"})

    async def email(self, email_id: int) -> Email:
        async with self.db.reading() as session:
            return await session.get_one(Email, email_id)

    async def emails(self) -> list[Email]:
        async with self.db.reading() as session:
            return list(await session.scalars(select(Email).order_by(Email.id)))

    async def states(self) -> list[str]:
        return [each.state for each in await self.emails()]

    async def change(self, **values) -> None:
        """Every email."""
        async with self.db.writing() as session:
            await session.execute(update(Email).values(**values))

    async def let_time_pass(self, **duration) -> None:
        """For the whole outbox, as if it had all been earlier."""
        earlier = timedelta(**duration)
        async with self.db.writing() as session:
            for each in await session.scalars(select(Email)):
                each.due_at -= earlier
                each.give_up_at -= earlier
                each.created_at -= earlier
                each.sent_at = each.sent_at and each.sent_at - earlier

    async def events(self) -> list[tuple[str, dict]]:
        async with self.db.reading() as session:
            logged = await session.scalars(select(LoggedEvent).order_by(LoggedEvent.id))
            return [(each.kind, each.payload) for each in logged]


def later(moment: datetime) -> float:
    """Minutes from now."""
    return (moment - datetime.now(UTC)).total_seconds() / 60


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)


def resume(sender: MailSender) -> None:
    """End the pause, as time would."""
    sender._pause._until = 0.0


@pytest.fixture
async def office(db: Database) -> AsyncIterator[Office]:
    office = Office(db)
    yield office
    for sender in office.senders:
        await sender.stop(within=0.1)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that have run out are taken over at once."""
    monkeypatch.setattr(supply, "WATCHED", 0.0)


@pytest.fixture
async def server() -> AsyncIterator[RealServer]:
    async with RealServer().open() as server:
        yield server


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer().open() as server:
        yield server


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[str, str]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls(certificate) -> ssl.SSLContext:
    """For the server."""
    return server_tls(*certificate)


@pytest.fixture
def trust(certificate) -> ssl.SSLContext:
    """For a client that trusts this server."""
    return ssl.create_default_context(cafile=certificate[0])
