"""Several processes behind one port: nobody is cut off who need not be, and none is left over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from microblog import server, supervisor
from tests.databases import KINDS, Databases
from tests.person import Person, Reader
from tests.process import SiteProcess
from tests.serving.peer import PATIENCE, Peer, connected, websocket
from tests.serving.running import REQUEST, Running, running

MANY = 12  # connections, enough for both workers to have some


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "hypercorn.toml"
    file.write_text("workers = 2\ngraceful_timeout = 8\nwebsocket_ping_interval = 20\n")
    return file


async def status(port: int, path: str = "/") -> int:
    async with connected(port) as peer:
        peer.writer.write(REQUEST.format(path).encode())
        await peer.read_head()
        return peer.status


async def can_be_bound(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def busy(program: Running) -> AsyncIterator[tuple[list[Peer], Peer]]:
    """Open websockets, and a request that takes its time."""
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(websocket(program.port, "/live")) for _ in range(MANY)
        ]
        await program.says("open /live", times=MANY)
        slow = await stack.enter_async_context(connected(program.port))
        slow.writer.write(REQUEST.format("/slow").encode())
        await program.says("asked /slow")
        yield sockets, slow


async def nobody_is_cut_off(sockets: list[Peer], slow: Peer) -> None:
    codes = await asyncio.gather(*(peer.polite_close_code() for peer in sockets))
    assert codes == [1012] * MANY
    await slow.read_head()
    assert slow.status == 200
    assert await slow.rest() == b"done"


@pytest.mark.parametrize("signalled", ["the parent", "the whole group"])
async def test_sigterm_cuts_nobody_off(python: str, config: Path, signalled: str) -> None:
    """systemd's KillMode=control-group reaches workers twice: by itself and through the parent."""
    async with running("quart", config, python=python) as program:
        await program.ready()
        async with busy(program) as (sockets, slow):
            if signalled == "the parent":
                program.signal()
            else:
                program.signal_group()
            await nobody_is_cut_off(sockets, slow)
            assert await program.ends(within=10) == (0, "")
    assert program.said.count("shutdown") == program.said.count("startup") == 2


async def test_a_second_signal_ends_all_at_once(config: Path) -> None:
    async with running("raw", config) as program:
        await program.ready()
        async with connected(program.port) as stuck:
            stuck.writer.write(REQUEST.format("/stuck").encode())
            await program.says("asked /stuck")
            program.signal()
            await program.says("drain", times=2)
            program.signal()
            code, complaint = await program.ends(within=6)  # and with them their standard output
    assert (code, complaint) == (-signal.SIGTERM, "")


async def test_interrupting_it_is_stopping_it(config: Path) -> None:
    async with running("raw", config) as program:
        await program.ready()
        program.signal_group(signal.SIGINT)  # as Ctrl+C does
        assert await program.ends(within=8) == (0, "")
    assert program.said.count("shutdown") == 2


async def test_what_does_not_end_is_dropped_after_the_grace(config: Path) -> None:
    config.write_text("workers = 2\ngraceful_timeout = 0.5\n")
    async with running("raw", config) as program:
        await program.ready()
        async with connected(program.port) as stuck:
            stuck.writer.write(REQUEST.format("/stuck").encode())
            await program.says("asked /stuck")
            program.signal()
            code, complaint = await program.ends(within=8)
    assert code == 0
    assert complaint == "WARNING Dropping 1 connections that did not end in 0.5 s\n"


async def test_a_frozen_worker_does_not_keep_the_others(config: Path) -> None:
    config.write_text("workers = 2\ngraceful_timeout = 0.5\n")
    async with running("raw", config) as program:
        await program.ready()
        os.kill(program.workers()[1], signal.SIGSTOP)
        program.signal()
        assert await program.ends(within=8) == (
            1, "Worker 1 was ended by SIGKILL instead of stopping.\n"
        )  # fmt: skip


async def test_a_killed_worker_is_replaced_and_the_site_goes_on(config: Path) -> None:
    async with running("raw", config) as program:
        await program.ready()
        before = program.workers()
        os.kill(before[0], signal.SIGKILL)
        assert [await status(program.port) for _ in range(20)] == [200] * 20
        await program.says_of_worker(0, other_than=before[0])
        after = program.workers()
        assert (after[0] != before[0], after[1]) == (True, before[1])
        program.signal()
        code, complaint = await program.ends(within=8)
    assert code == 0
    assert complaint == "WARNING Worker 0 was ended by SIGKILL; another begins at once\n"


async def test_when_the_parent_is_killed_the_workers_drain_and_the_port_is_free(
    config: Path,
) -> None:
    async with running("quart", config) as program:
        await program.ready()
        async with busy(program) as (sockets, slow):
            program.signal(signal.SIGKILL)
            codes = await asyncio.gather(*(peer.polite_close_code() for peer in sockets))
            assert codes == [1012] * MANY
            await can_be_bound(program.port)  # for a restart, however slow the request is
            await slow.read_head()
            assert slow.status == 200
            await slow.rest()
        assert await program.ends(within=6) == (-signal.SIGKILL, "")
        print(f"after the parent all were gone in {program.took:.1f} s, goal 3")
    assert program.said.count("shutdown") == 2


async def test_sighup_renews_them_one_by_one_and_nobody_notices(config: Path) -> None:
    async with running("raw", config) as program:
        await program.ready()
        before = program.workers()
        program.signal(signal.SIGHUP)
        asked = 0
        while len([line for line in program.said if line.startswith("worker ")]) < 4:
            assert await status(program.port) == 200
            asked += 1
            await program.says("asked /", times=asked)
        assert not set(before.values()) & set(program.workers().values())
        program.signal()
        assert await program.ends(within=8) == (0, "")


async def test_a_worker_that_is_told_to_stop_drains_and_is_replaced(config: Path) -> None:
    async with running("quart", config) as program:
        await program.ready()
        before = program.workers()
        async with busy(program) as (sockets, slow):
            for pid in before.values():
                os.kill(pid, signal.SIGTERM)
            await nobody_is_cut_off(sockets, slow)
        for number, pid in before.items():
            await program.says_of_worker(number, other_than=pid)
        program.signal()
        assert await program.ends(within=8) == (0, "")


async def test_a_worker_that_cannot_start_is_not_tried_for_ever(config: Path) -> None:
    async with running("broken", config) as program:
        code, complaint = await program.ends(within=30)
    assert code == 1
    assert complaint.splitlines() == [
        "The application failed: Lifespan failure in startup. 'no database'",
        "Worker 0 ended with status 1 before the site was ready.",
    ]
    assert program.said == []


async def test_workers_that_cannot_start_again_are_given_up_after_some_pauses(config: Path) -> None:
    async with running("fragile", config) as program:
        await program.ready()
        config.with_name("broken").touch()
        program.signalled = time.monotonic()
        for pid in program.workers().values():
            os.kill(pid, signal.SIGKILL)
        code, complaint = await program.ends(within=30)
        assert program.took > 1  # the pauses
    assert code == 1
    lines = complaint.splitlines()
    assert lines[-1].endswith("ended with status 9, 3 times in a row, and no other is left.")
    assert sum("another begins at once" in line for line in lines) == 2
    assert sum("another begins in 1 s" in line for line in lines) == 2
    assert len(lines) <= 6


def test_the_pauses_between_tries_grow_and_a_steady_life_ends_them() -> None:
    worker = supervisor._Worker(0, due=0.0)
    pauses = []
    for _ in range(8):
        worker.born = time.monotonic()
        pauses.append(supervisor._pause_after_end(worker))
    assert pauses == [0, 1, 2, 4, 8, 16, 30, 30]
    worker.born = time.monotonic() - supervisor.STEADY - 1
    assert supervisor._pause_after_end(worker) == 0


@pytest.mark.parametrize("count", [0, -1, 65])
def test_only_a_sensible_number_of_workers_is_accepted(config: Path, count: int) -> None:
    with pytest.raises(server.ServeError, match="from 1 to 64"):
        server.listen(config, "127.0.0.1:0", count)


@pytest.mark.parametrize("kind", KINDS)
async def test_two_workers_are_one_site(tmp_path: Path, databases: Databases, kind: str) -> None:
    async with databases.new(kind, tmp_path) as url:
        said = await _what_two_workers_say(tmp_path / "data", url)
    assert "Traceback" not in said
    assert said.count("is at http://") == said.count("/admin/claim/") == 1
    assert "worker 0 microblog.requests" in said or "worker 1 microblog.requests" in said


async def _what_two_workers_say(folder: Path, url: str) -> str:
    began = time.monotonic()
    several = SiteProcess(folder, arguments=("--workers", "2"), database_url=url)
    async with several as site, Person(site.url, "ada") as ada:
        print(f"two workers are ready after {time.monotonic() - began:.1f} s")
        await ada.register()
        async with AsyncExitStack() as stack:
            readers = await _readers_at_both(site, ada, stack)
            post = await ada.post("hello, whoever serves you")
            for reader in readers:
                await reader.until(lambda r: r.inserted() == [post])
            _tell_of_memory(site)
            assert await site.stop() == 0
            for reader in readers:
                await reader.until(lambda r: r.closes)
                assert reader.closes[0] == 1012
    return site.said()


async def _readers_at_both(
    site: SiteProcess, person: Person, stack: AsyncExitStack
) -> list[Reader]:
    """Only the first worker sends mail, so the two tell different things of themselves."""
    readers: list[Reader] = []
    busy: dict[bool, int] = {}
    while len(busy) < 2 or not all(busy.values()):
        assert len(readers) < 40
        readers.append(await stack.enter_async_context(Reader(person).listening()))
        await readers[-1].until(lambda r: r.caught_up.is_set())
        async with httpx2.AsyncClient() as http:
            health = (await http.get(f"{site.url}/healthz")).json()
        busy["mail sender" in health["checks"]] = health["live_readers"]
    return readers


def _tell_of_memory(site: SiteProcess) -> None:
    assert site.process is not None
    parent = site.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    sizes = [_proportional_mib(int(pid)) for pid in (*children, parent)]
    assert len(sizes) == 3
    print(
        f"two workers take {sum(sizes[:2]):.0f} MiB, with their parent {sum(sizes):.0f}, goal 150"
    )
    assert sum(sizes) < 300


def _proportional_mib(pid: int) -> float:
    """Resident memory, what is shared counted in parts."""
    sizes = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(sizes.split("\nPss:")[1].split()[0]) / 1024
