"""SIGTERM: nobody is cut off who need not be, and nobody keeps the process."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from tests.serving.peer import connected, websocket
from tests.serving.running import REQUEST, running

GRACE = 0.8
PATIENT = 8.0  # where nothing is dropped, so that a busy machine drops nothing either
AFTERWARDS = 3.5 * 0.5 + 6  # server.MOMENT, and a busy machine


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return _config(tmp_path, GRACE)


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    return _config(tmp_path, PATIENT)


def _config(folder: Path, grace: float) -> Path:
    file = folder / "hypercorn.toml"
    file.write_text(f"graceful_timeout = {grace}\nwebsocket_ping_interval = 20\n")
    return file


async def test_open_sockets_are_closed_and_requests_finish(python: str, patient: Path) -> None:
    async with running("quart", patient, python=python) as program:
        await program.ready()
        async with (
            connected(program.port),  # idle
            connected(program.port) as slow,
            websocket(program.port, "/live") as first,
            websocket(program.port, "/live") as second,
        ):
            slow.writer.write(REQUEST.format("/slow").encode())
            await program.says("asked /slow")
            await program.says("open /live", times=2)
            program.signal()
            assert await first.polite_close_code() == 1012
            assert await second.polite_close_code() == 1012
            await slow.read_head()
            assert slow.status == 200
            assert slow.headers["connection"] == "close"
            assert await slow.rest() == b"done"
            assert await program.ends(within=PATIENT) == (0, "")
    # What handlers still need ends after them.
    assert program.said[-1] == "shutdown"
    assert program.said.count("closed") == 2


@pytest.mark.parametrize("app", ["raw", "quart"])
async def test_what_does_not_end_is_dropped_after_the_grace(
    python: str, config: Path, app: str
) -> None:
    async with running(app, config, python=python) as program:
        await program.ready()
        async with connected(program.port) as stuck, websocket(program.port, "/deaf") as peer:
            stuck.writer.write(REQUEST.format("/stuck").encode())
            await program.says("asked /stuck")
            await program.says("open /deaf")
            program.signal()
            assert await peer.close_code() is None
            code, complaint = await program.ends(within=GRACE + AFTERWARDS)
    assert code == 0
    assert complaint == f"WARNING Dropping 2 connections that did not end in {GRACE} s\n"
    assert program.said[-1] == "shutdown"
    assert "left /stuck" in program.said
    assert program.took > GRACE


async def test_a_handler_that_swallows_its_cancellation_does_not_keep_the_process(
    config: Path,
) -> None:
    async with running("raw", config) as program:
        await program.ready()
        async with connected(program.port) as peer:
            peer.writer.write(REQUEST.format("/stubborn").encode())
            await program.says("asked /stubborn")
            program.signal()
            code, complaint = await program.ends(within=GRACE + AFTERWARDS)
    assert code == 0
    assert complaint.endswith("\nWARNING Something would not stop; leaving without it\n")


async def test_a_second_signal_ends_it_at_once(patient: Path) -> None:
    async with running("raw", patient) as program:
        await program.ready()
        async with connected(program.port) as stuck:
            stuck.writer.write(REQUEST.format("/stuck").encode())
            await program.says("asked /stuck")
            program.signal()
            await program.says("drain")
            program.signal()
            code, complaint = await program.ends(within=PATIENT - 1)
    assert (code, complaint) == (-signal.SIGTERM, "")


async def test_interrupting_it_is_stopping_it(patient: Path) -> None:
    async with running("raw", patient) as program:
        await program.ready()
        program.signal(signal.SIGINT)
        assert await program.ends(within=PATIENT) == (0, "")
    assert program.said[-3:] == ["drain", "drained", "shutdown"]


async def test_nobody_connects_once_it_drains(patient: Path) -> None:
    async with running("raw", patient) as program:
        await program.ready()
        async with connected(program.port) as stuck:
            stuck.writer.write(REQUEST.format("/stuck").encode())
            await program.says("asked /stuck")
            program.signal()
            await program.says("drain")
            with pytest.raises(ConnectionRefusedError):
                async with asyncio.timeout(PATIENT / 2):
                    while True:  # for another moment it may be taken, and is left
                        _, writer = await asyncio.open_connection("127.0.0.1", program.port)
                        writer.transport.abort()
                        await asyncio.sleep(0.02)


async def test_a_handshake_overtaken_by_the_drain_is_refused(patient: Path) -> None:
    async with running("raw", patient) as program:
        await program.ready()
        opening = asyncio.create_task(_status(program.port, "/hesitant"))
        await program.says("hesitating")
        program.signal()
        assert await opening == 503
        assert await program.ends(within=PATIENT) == (0, "")


async def test_a_mistake_in_draining_is_told_and_stops_nothing(config: Path) -> None:
    async with running("careless", config) as program:
        await program.ready()
        async with websocket(program.port, "/live"):
            await program.says("open /live")
            program.signal()
            code, complaint = await program.ends(within=GRACE + AFTERWARDS)
    assert code == 0
    assert complaint.startswith("ERROR Closing the open sockets failed")
    assert program.said[-1] == "shutdown"


async def _status(port: int, path: str) -> int:
    async with websocket(port, path) as peer:
        return peer.status
