"""``/metrics``: for those who know its token, without a name of anybody, in bounded many series."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from quart import Quart

from microblog.app import create_app
from microblog.kernel import events
from microblog.kernel.db import Database
from microblog.kernel.worker import Pulse
from microblog.live.connection import TOO_SLOW, Connection, Listener
from microblog.live.wires import QueuedOutlet
from microblog.notifications.events import NotificationsChanged
from microblog.settings import Settings, SettingsError
from tests.web.visitor import Visitor
from tests.world import World

TOKEN = "metrics-token-0123456789"

Figures = dict[str, float]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, metrics_token=TOKEN)


async def figures(world: World) -> Figures:
    """By name and labels, as they are written."""
    text = await page(world)
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if not line.startswith("#")}  # fmt: skip


async def page(world: World) -> str:
    bearer = {"Authorization": f"Bearer {TOKEN}", "Host": "10.0.0.7:8000"}
    answer = await world.visitor().get("/metrics", headers=bearer)
    assert answer.status_code == 200
    return str(await answer.get_data(as_text=True))


async def grown(world: World, before: Figures, series: str) -> float:
    return (await figures(world))[series] - before.get(series, 0.0)


async def test_without_a_token_there_is_no_such_page(settings: Settings) -> None:
    app = create_app(replace(settings, metrics_token=""))
    async with app.test_app() as running:
        for bearer in ({}, {"Authorization": "Bearer "}, {"Authorization": ""}):
            answer = await running.test_client().get("/metrics", headers=bearer)
            assert answer.status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}é"])
async def test_a_wrong_token_is_refused(world: World, given: str) -> None:
    headers = {"Authorization": given} if given else {}
    answer = await world.visitor().get("/metrics", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "microblog_" not in await answer.get_data(as_text=True)


def test_a_short_token_is_refused_and_none_is_ever_shown() -> None:
    with pytest.raises(SettingsError, match="METRICS_TOKEN"):
        Settings.from_env({"MICROBLOG_METRICS_TOKEN": "short"})
    assert TOKEN not in repr(Settings(metrics_token=TOKEN))


async def test_what_it_says_can_be_parsed_and_names_the_process(world: World) -> None:
    families = {family.name: family for family in text_string_to_metric_families(await page(world))}
    facts = families["microblog_process_info"].samples[0].labels
    assert facts["pid"].isdigit()
    assert facts["worker"] == "0"
    assert all(s.labels["worker"] == "0" for family in families.values() for s in family.samples)


async def test_requests_are_counted_by_route_and_never_by_path(world: World) -> None:
    before = await figures(world)
    visitor = Visitor(world)
    for path in ("/@nobody-1", "/@nobody-2", "/no/such/page", "/wp-login.php"):
        await visitor.page(path, 404)
    seen = 'microblog_requests_total{method="GET",route="%s",status="4xx",worker="0"}'
    assert await grown(world, before, seen % "-") == 2
    text = await page(world)
    assert "nobody-1" not in text
    assert "wp-login" not in text
    await visitor.page("/healthz")
    assert 'request_seconds_bucket{le="10.0",method="GET",route="/healthz"' in await page(world)


async def test_made_up_methods_make_no_series(world: World) -> None:
    for number in range(5):
        await world.visitor().open("/explore", method=f"BREW{number}")
    text = await page(world)
    assert "BREW" not in text
    assert 'method="other"' in text


async def test_the_readers_of_the_log_are_behind_until_they_have_read(world: World) -> None:
    susan = await world.person("susan")
    await world.settle()
    await susan.posts("hello")
    reader = 'microblog_log_behind_%s{reader="%s",worker="0"}'
    found = await figures(world)
    for name, kinds in world.site.consumers.items():  # a post is not for each of them
        assert found[reader % ("events", name)] == ("PostPublished" in kinds)
        assert 0 <= found[reader % ("seconds", name)] < 60
        assert found[f'microblog_dead_letters_total{{reader="{name}",worker="0"}}'] == 0
    assert found[reader % ("events", "notifications")] == 1
    for consumer in world.machinery.consumers:
        await consumer.catch_up(world.db)
    async with world.db.writing() as session:  # as its own doing is, which it notes later
        await events.record(session, NotificationsChanged(susan.id))
    found = await figures(world)
    assert found[reader % ("events", "notifications")] == 0
    assert found[reader % ("seconds", "notifications")] == 0
    assert reader % ("events", "live feed") in found


async def test_mail_that_waits_is_counted_by_its_state(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await susan.posts("hello @david")
    for consumer in world.machinery.consumers:
        await consumer.catch_up(world.db)
    found = await figures(world)
    assert found['microblog_mail_queue{state="queued",worker="0"}'] >= 1
    assert found['microblog_mail_overdue_seconds{worker="0"}'] >= 0
    assert david.name not in await page(world)


async def test_open_sockets_and_the_slow_among_them_are_counted(world: World) -> None:
    before = await figures(world)
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    outlet = QueuedOutlet(send)
    connection = Connection(Listener(("public",), "en", account_id=7), outlet, send)
    with world.site.hub.connected(connection):
        outlet._size = 123  # what a slow reader leaves
        found = await figures(world)
        assert found['microblog_live_sockets{worker="0"}'] == 1
        assert found['microblog_live_accounts{worker="0"}'] == 1
        assert found['microblog_live_unsent_bytes{worker="0"}'] == 123
        connection.end(TOO_SLOW)
        await connection.close()
    assert sent == [{"type": "websocket.close", "code": TOO_SLOW}]
    assert await grown(world, before, 'microblog_live_closes_total{code="1013",worker="0"}') == 1


async def test_a_post_shown_live_is_timed_from_its_writing_to_the_sockets(world: World) -> None:
    before = await figures(world)
    susan = await world.person("susan")

    async def send(_: object) -> None:
        pass

    outlet = QueuedOutlet(send)
    connection = Connection(Listener(("public",), "en"), outlet, send)
    connection.caught_up(0)
    with world.site.hub.connected(connection):
        await susan.posts("hello")
        await world.app.extensions["feed"].subscriber.step()
    assert outlet.unsent() > 0
    count = 'microblog_live_delivery_seconds_count{worker="0"}'
    assert await grown(world, before, count) >= 1
    assert await grown(world, before, 'microblog_live_messages_total{worker="0"}') >= 1
    assert 0 < await grown(world, before, 'microblog_live_delivery_seconds_sum{worker="0"}') < 10


async def test_loops_and_a_database_that_is_away_are_told(app: Quart, world: World) -> None:
    world.site.pulses["mail sender"] = Pulse("mail sender", 1.0, failures=3)
    found = await figures(world)
    assert found['microblog_loop_alive{loop="mail sender",worker="0"}'] == 0
    assert found['microblog_database_up{worker="0"}'] == 1
    failed = 'microblog_database_errors_total{access="reading",worker="0"}'
    well, world.site.db = world.site.db, Database("postgresql+asyncpg://x@127.0.0.1:1/x")
    before, found = found, await figures(world)
    assert found[failed] == before[failed] + 1
    world.site.db = well
    assert found['microblog_database_up{worker="0"}'] == 0
    assert 'microblog_live_sockets{worker="0"}' in found
