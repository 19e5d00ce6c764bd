"""What a loop says of its failures."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import InterfaceError

from microblog.kernel import worker
from microblog.kernel.worker import Pulse


async def test_a_database_that_is_away_is_told_often_at_first_and_then_seldom(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "LOOK_AGAIN", 0.0)
    steps = 0

    async def step() -> None:
        nonlocal steps
        steps += 1
        if steps <= 60:
            raise InterfaceError("", None, OSError("refused"))
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await worker.run(Pulse("mail", idle=1.0), step, asyncio.Event())
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "mail failed: refused"
    assert [one.split()[2] for one in said[1:]] == ["2", "3", "4", "5", "30", "60"]
