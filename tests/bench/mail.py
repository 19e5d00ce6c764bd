"""How fast mail leaves: the outbox against a loop with one aiosmtplib connection per message.

Both send to the same sink in another process: one that does as little as an SMTP server can, and
aiosmtpd, whose own slowness then stands in both figures.

- *loop*: what a program does first: build an `EmailMessage`, open a connection, send, close.  Text
  and HTML are given to it; it writes nothing down and loses everything when it dies.
- *loop of bytes*: the same without building.
- *outbox*: all that a mail costs here: lease, compose, templates, MIME, bytes fixed in the
  database, send, settle durably (SQLite, synchronous=FULL).
- *outbox of bytes*: a backlog whose bytes are fixed already, as after an outage of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import aiosmtplib
from sqlalchemy import create_engine, update

from microblog.kernel import events  # noqa: F401 - its tables
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.model import Base, Session
from microblog.mail.addresses import Mailbox
from microblog.mail.letters import Letter
from microblog.mail.outbox import Email
from microblog.mail.render import Renderer
from microblog.mail.sender import MailSender
from microblog.mail.smtp import SmtpTransport
from microblog.settings import Smtp
from tests.bench.plan import Plan
from tests.bench.table import Row, times

LINES = 4  # connections at once, as `microblog.mail.smtp` has them
FROM, TO = "hello@localhost", "susan@localhost"
TEMPLATES = Path(__file__).parents[2] / "templates"
ADA = {"name": "ada", "display_name": "Ada", "bio": "", "url": "http://localhost/@ada"}
POST = {"body": "Have you seen the sketch of the engine?\n" * 6, "url": "http://localhost/@ada/7"}
LETTER = Letter("mention", TO, "en", {"name": "Susan", "actor": ADA, "post": POST},
                "http://localhost/u/" + "k" * 43, "thread-7", "mentions")  # fmt: skip

render = Renderer(
    TEMPLATES,
    site_name="Microblog",
    base_url="http://localhost",
    sender=Mailbox("M", FROM),
    with_passwords=True,
)
_parsed = message_from_bytes(render(LETTER, "a" * 32), policy=policy.default)
TEXT, HTML = (part.get_content() for part in _parsed.iter_parts())


class _Sink(asyncio.Protocol):
    """As little as an SMTP server can do, so that it is not what is measured."""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.in_data = transport, b"", False
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = b"\r\n.\r\n" if self.in_data else b"\r\n"
        while end in self.buffer:
            line, _, self.buffer = self.buffer.partition(end)
            verb = b"." if self.in_data else line[:4].upper()
            self.in_data = verb == b"DATA"
            self.transport.write(b"354 go\r\n" if self.in_data else b"250 ok\r\n")
            if verb == b"QUIT":
                self.transport.close()
            end = b"\r\n.\r\n" if self.in_data else b"\r\n"


def _minimal(pipe: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def _aiosmtpd(pipe: Connection) -> None:
    from aiosmtpd.handlers import Sink  # noqa: PLC0415 - only in this process
    from aiosmtpd.smtp import SMTP  # noqa: PLC0415

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        make = lambda: SMTP(Sink(), hostname="sink", loop=loop)  # noqa: E731
        server = await loop.create_server(make, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextlib.contextmanager
def sink(target: Any) -> Iterator[int]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=target, args=(theirs,))
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _built() -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = f"M <{FROM}>", TO, "Ada mentioned you"
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="localhost")
    message["List-Unsubscribe"] = f"<{LETTER.unsubscribe}>"
    message.set_content(TEXT)
    message.add_alternative(HTML, subtype="html")
    return message.as_bytes()


async def loop(port: int, messages: int, *, building: bool) -> None:
    ready = _built()
    for _ in range(messages):
        content = _built() if building else ready
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, local_hostname="me") as smtp:
            await smtp.sendmail(FROM, [TO], content)


async def _compose(_session: Session, _payloads: list[dict[str, Any]]) -> Letter:
    return LETTER


class Outbox:
    def __init__(self, folder: str) -> None:
        tables = [Base.metadata.tables[name] for name in ("emails", "events", "log_epoch")]
        engine = create_engine(f"sqlite:///{folder}/bench.db")
        Base.metadata.create_all(engine, tables=tables)
        engine.dispose()
        self.journal = Path(folder, "journal")
        self.db = Database(f"sqlite+aiosqlite:///{folder}/bench.db")

    async def fill(self, messages: int, *, fixed: bool) -> None:
        content = render(LETTER, "a" * 32) if fixed else None
        async with self.db.writing() as session:
            for _ in range(messages):
                session.add(
                    Email(kind="m", payload={"account_id": 1}, message_id=os.urandom(16).hex(),
                          due_at=now(), give_up_at=now().replace(year=9999),
                          recipient=TO if fixed else None, content=content)
                )  # fmt: skip

    async def empty(self, port: int, lines: int) -> None:
        transport = SmtpTransport(Smtp("127.0.0.1", port, "plain"), FROM, helo="me", lines=lines)
        sender = MailSender(self.db, {"m": _compose}, render, transport,
                            owner="bench", journal=self.journal)  # fmt: skip
        await sender.step()
        await sender.stop()
        async with self.db.writing() as session:
            left = await session.execute(
                update(Email).where(Email.state != "sent").values(kind="x")
            )
            if left.rowcount:  # type: ignore[attr-defined]
                raise SystemExit(f"{left.rowcount} were not sent")  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Run:
    per_second: float
    cpu: float  # ms a message, of the sending process alone


async def timed(work: Any, messages: int) -> Run:
    began, busy = time.perf_counter(), time.process_time()
    await work
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    return Run(messages / seconds, cpu / messages * 1000)


async def measure(messages: int, rounds: int, port: int) -> dict[str, list[Run]]:
    """By name, one of each round; a bare loop stands before its outboxes."""
    found: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        outbox = Outbox(folder)
        for _ in range(rounds):
            for kind, fixed in (("", False), (" of bytes", True)):
                bare = loop(port, messages, building=not fixed)
                found.setdefault(f"loop{kind}", []).append(await timed(bare, messages))
                for lines in (1, LINES):
                    await outbox.fill(messages, fixed=fixed)
                    run = await timed(outbox.empty(port, lines), messages)
                    name = f"outbox{kind}, {lines} line" + "s" * (lines > 1)
                    found.setdefault(name, []).append(run)
        await outbox.db.close()
    return found


async def run(plan: Plan) -> list[Row]:
    rows: list[Row] = []
    for sink_is, target in plan.of((("", _minimal), (", aiosmtpd", _aiosmtpd)), (("", _minimal),)):
        plan.say(f"mail{sink_is}")
        with sink(target) as port:
            found = await measure(plan.of(500, 60), plan.of(3, 1), port)
        rows += _rows(found, sink_is)
    return rows


def _rows(found: dict[str, list[Run]], sink_is: str) -> list[Row]:
    """Each outbox beside the bare loop above it; the goal is for what a site does: compose, render,
    fix, send and settle."""
    rows: list[Row] = []
    bare, name = list[Run](), ""
    for each, runs in found.items():
        if each.startswith("loop"):
            bare, name = runs, f"aiosmtplib {each}"
            continue
        goal = times(3, at_least=True) if each + sink_is == f"outbox, {LINES} lines" else None
        speed, theirs = (median(one.per_second for one in them) for them in (runs, bare))
        rows.append(Row(f"{each}{sink_is}", "/s", speed, name, theirs, goal))
        cpu, theirs = (median(one.cpu for one in them) for them in (runs, bare))
        rows.append(Row(f"{each}{sink_is}, CPU a mail", "ms", cpu, name, theirs))
    return rows
