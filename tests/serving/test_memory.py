"""Attacks on a program of its own, whose memory is looked at meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.serving.peer import BINARY, TEXT, connected, frame, header, pour, websocket
from tests.serving.running import running

MIB = 2**20
ATTACKERS = 10


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "hypercorn.toml"
    file.write_text("websocket_max_message_size = 4096\ngraceful_timeout = 1\n")
    return file


@pytest.mark.parametrize(
    ("path", "begin", "chunk"),
    [
        ("/live", header(BINARY, 32 * MIB), bytes(2**16)),  # one message of 32 MiB
        ("/live", frame(TEXT, bytes(10), fin=False), frame(0, bytes(1000), fin=False)),
        ("/deaf", b"", frame(TEXT, b"x" * 4000)),  # many that nobody takes
    ],
    ids=["one message", "a message in pieces", "unread messages"],
)
async def test_what_strangers_send_does_not_stay_in_memory(
    config: Path, path: str, begin: bytes, chunk: bytes
) -> None:
    async with running("raw", config) as program:
        await program.ready()
        async with websocket(program.port, path):
            before = program.resident()
            attacks = [_attack(program.port, path, begin, chunk) for _ in range(ATTACKERS)]
            taken = await asyncio.gather(*attacks)
            # Kernels hold some MiB of each; of 320 MiB nearly all stays with the attackers.
            assert sum(taken) < ATTACKERS * 16 * MIB
            assert program.resident() - before < 20 * MIB


async def test_what_strangers_do_not_read_does_not_stay_in_memory(config: Path) -> None:
    async with running("raw", config) as program:
        await program.ready()
        before = program.resident()
        async with connected(program.port, window=4096) as peer:
            # A pong for each ping, none of them read: the pings soon wait with the peer.
            taken = await pour(peer, frame(9, b"x" * 125) * 100, 32 * MIB, patience=1.0)
        assert taken < 16 * MIB
        assert program.resident() - before < 20 * MIB


async def _attack(port: int, path: str, begin: bytes, chunk: bytes) -> int:
    async with websocket(port, path) as peer:
        peer.writer.write(begin)
        return await pour(peer, chunk, 32 * MIB)
