"""The clock is set forward while two processes send mail.

By the time of day every lease of the one has run out in the eyes of the other; by the clock that
nobody sets, none has.  Each mail is sent once all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults import report
from tests.faults.faketime import HOUR, Clock, missing
from tests.faults.mailing import Whimsical, people, states, working, write_mails
from tests.faults.report import Findings
from tests.faults.scale import Scale
from tests.process import free_port

ID = "R19b"
NAME = "clock set while two send mail"
KINDS = ("postgresql",)  # as R19a
FULL = 30.0

MAILS = 400
PATIENCE = 60.0


class _Unhurried(Whimsical):
    """So that there are always mails in hand."""

    async def _answer(self, step: str, writer: asyncio.StreamWriter, content: bytes = b"") -> bool:
        if step == "dot":
            await asyncio.sleep(0.05)
        return await super()._answer(step, writer, content)


async def run(scale: Scale, database: str) -> Findings:
    if reason := missing():
        return Findings(not_run=reason)
    number, server, port = scale.of(MAILS, 160), _Unhurried(), free_port()
    ids = await people(database, number)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = Clock(folder)
        async with (
            server.open(port),
            working(database, 2, folder, port, python=str(clock.python)),
        ):
            await write_mails(database, ids)
            began = time.monotonic()
            for taken, offset in ((number // 8, HOUR), (number // 2, 2 * HOUR)):
                await _taken(server, taken)
                clock.set(offset)
            await _all_sent(database)
            took = time.monotonic() - began
    sent = Counter(one for taken in server.sent_to.values() for one in taken)
    lost, left = number - len(sent), await states(database)
    return Findings(
        f"{number} mails, set forward twice, all sent after {took:.0f} s",
        figures=[report.bound("repeated", sum(sent.values()) - len(sent), 0, "mails")],
        violations=[
            *([f"{lost} mails are lost"] if lost else []),
            *([f"mails are left: {left}"] if set(left) != {"sent"} else []),
        ],
    )


async def _taken(server: Whimsical, mails: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(server.taken) < mails:
            await asyncio.sleep(0.01)


async def _all_sent(database: str) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while set(await states(database)) != {"sent"}:
                await asyncio.sleep(0.1)
