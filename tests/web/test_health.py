"""What those who keep the site up can ask: is it well, and may it get requests?"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from quart import Quart

from microblog.kernel import tokens
from microblog.kernel.worker import Pulse
from microblog.web import health
from tests.world import World


@pytest.fixture
def file(world: World) -> Path:
    """The database."""
    assert world.db.path is not None
    return world.db.path


async def asked(world: World, path: str, status: int) -> dict[str, object]:
    answer = await world.visitor().get(path)
    assert answer.status_code == status, await answer.get_data(as_text=True)
    return dict(await answer.get_json())


async def test_a_running_site_is_well_and_ready(world: World) -> None:
    facts = await asked(world, "/healthz", 200)
    assert facts["status"] == "ok"
    assert await asked(world, "/readyz", 200) == {"status": "ready", "reasons": []}


@pytest.mark.parametrize(
    ("peer", "headers", "shown"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("10.1.2.3", {}, False),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, False),
    ],
)
async def test_only_the_machine_itself_is_told_of_queues_and_notices(
    world: World, peer: str, headers: dict[str, str], shown: bool
) -> None:
    answer = await world.visitor().get(
        "/healthz", headers=headers, scope_base={"client": (peer, 4711)}
    )
    facts = await answer.get_json()
    assert facts["status"] == "ok"
    for name in ("notices", "mail", "live_readers", "position"):
        assert (name in facts) is shown


async def test_the_doctor_hears_it_through_a_proxy_too_and_what_that_has_made_of_it(
    world: World,
) -> None:
    shown = tokens.doctors_pass(world.site.settings.secret_key)
    for given, knows in ((shown, True), (shown[:-1], False), ("é", False), ("", False)):
        answer = await world.visitor().get(
            "/healthz", scope_base={"client": ("10.1.2.3", 4711)},
            headers={
                "X-Microblog-Doctor": given, "X-Forwarded-For": "192.0.2.77", "Host": "internal"
            },
        )  # fmt: skip
        facts = await answer.get_json()
        assert ("position" in facts) is ("came" in facts) is knows
        if knows:
            assert facts["came"] == {
                "host": "internal", "peer": "10.1.2.3", "forwarded": ["192.0.2.77"],
                "is_proxy": False,
            }  # fmt: skip


async def test_probes_are_answered_whatever_name_they_use(world: World) -> None:
    for path in ("/healthz", "/readyz"):
        for host in ("10.1.2.3:8000", "localhost:1", ""):
            answer = await world.visitor().get(path, headers={"Host": host})
            assert answer.status_code == 200, (path, host)


async def test_a_process_that_stops_wants_no_more_requests_but_is_well(world: World) -> None:
    await world.site.hub.drain()
    assert (await asked(world, "/readyz", 503))["reasons"] == [health.DRAINING]
    await asked(world, "/healthz", 200)


async def test_before_the_feed_has_started_it_is_not_ready(app: Quart, world: World) -> None:
    app.extensions["feed"].epoch = ""
    assert (await asked(world, "/readyz", 503))["reasons"] == [health.NOT_STARTED]


async def test_a_loop_that_has_died_is_not_well(world: World) -> None:
    world.site.pulses["mail sender"] = Pulse("mail sender", 1.0, failures=3)
    facts = await asked(world, "/healthz", 503)
    assert facts["status"] == "failing"
    await asked(world, "/readyz", 200)  # other processes would be no better


@pytest.mark.filterwarnings("ignore:.*Connection.__del__")  # aiosqlite's, when it cannot connect
async def test_a_database_that_is_away_makes_it_neither(world: World, file: Path) -> None:
    await world.db.close()
    away = file.rename(file.with_suffix(".away"))
    file.mkdir()
    assert (await asked(world, "/readyz", 503))["reasons"] == [health.AWAY]
    checks = (await asked(world, "/healthz", 503))["checks"]
    assert isinstance(checks, dict)
    assert checks["database"] is False
    file.rmdir()
    away.rename(file)
    gc.collect()
    await asked(world, "/readyz", 200)
    await asked(world, "/healthz", 200)


async def test_a_locked_database_leaves_it_ready_since_pages_can_be_read(
    world: World, file: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await asked(world, "/readyz", 200)
        await asked(world, "/healthz", 200)
        assert (await world.visitor().get("/explore")).status_code == 200
        other.execute("ROLLBACK")


async def test_an_older_schema_is_not_served_and_a_newer_one_is(world: World, file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        for found, status in (("9999", 200), (None, 503)):
            with other:
                other.execute("UPDATE alembic_version SET version_num = ?", [found or ""])
                if found is None:
                    other.execute("DELETE FROM alembic_version")
            facts = await asked(world, "/readyz", status)
    assert facts["reasons"] == [health.TOO_OLD]


async def test_a_database_that_hangs_is_not_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All connections for reading are taken, and stay so."""
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    taken = [world.db.reading() for _ in range(5)]
    try:
        for each in taken:
            session = await each.__aenter__()
            await session.connection()
        async with asyncio.timeout(10):
            assert (await asked(world, "/readyz", 503))["reasons"] == [health.AWAY]
    finally:
        for each in taken:
            await each.__aexit__(None, None, None)
