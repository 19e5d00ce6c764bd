"""Listening to a server that stops answering in the middle of a sentence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from microblog.kernel import doorbell
from microblog.kernel.db import FAULTS, Database
from microblog.kernel.worker import Pulse
from tests.databases import Databases
from tests.faults.postgres import socket_of, through
from tests.faults.proxy import Proxy


class Forgetful(Proxy):
    """Swallows everything from the first line that has `word` in it."""

    def __init__(self, target: Path, word: bytes) -> None:
        super().__init__(target)
        self._word = word

    @property
    def is_silent(self) -> bool:
        return not self._passing.is_set()

    async def _pass(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if self._word in data:
                self.black_hole()
            if not self.is_silent:
                drain.write(data)


async def test_a_server_that_falls_silent_while_the_doorbell_begins_is_given_up(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be deaf, and /healthz failing, until the network forgets the connection."""
    monkeypatch.setattr(doorbell, "PATIENCE", 2.0)
    async with databases.new("postgresql", tmp_path) as url:
        wire = Forgetful(socket_of(url), b"LISTEN")
        await wire.start()
        db = Database(through(url, wire))
        async with asyncio.timeout(60):
            while not wire.is_silent:  # a busy machine may take too long to get there
                with pytest.raises(FAULTS):
                    await doorbell.listen(db, Pulse("doorbell", 60.0))
        await db.close()
        await wire.stop()
