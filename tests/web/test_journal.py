"""One line a request, with an id that leads to all that was logged while it was answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from quart import Quart

from microblog.app import create_app
from microblog.kernel import logs
from microblog.settings import Settings
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World, new_key


class Lines(logging.Handler):
    """What would be written, a line each."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


@pytest.fixture
def journal() -> Iterator[Lines]:
    yield from _listening(logs.JsonLines(None))


@pytest.fixture
def text() -> Iterator[Lines]:
    yield from _listening(logs.TextLines(None))


def _listening(formatter: logging.Formatter) -> Iterator[Lines]:
    lines, log = Lines(formatter), logging.getLogger("microblog")
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    yield lines
    log.removeHandler(lines)


async def test_a_request_is_one_line_with_its_route_and_not_its_path(
    world: World, journal: Lines
) -> None:
    answer = await world.visitor().get("/@secret-name?token=hush")
    (line,) = journal.facts()
    assert line["request"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["status"]) == ("GET", 404)
    assert line["route"].startswith("/@<")
    assert line["ms"] >= 0
    assert "secret-name" not in journal.lines[0]
    assert "hush" not in journal.lines[0]


async def test_the_id_of_an_error_page_leads_to_its_traceback(app: Quart, journal: Lines) -> None:
    async def broken() -> str:
        raise ZeroDivisionError

    app.view_functions["timelines.explore"] = broken
    broken.access = "public"  # type: ignore[attr-defined]
    app.testing = False
    answer = await app.test_client().get("/explore", headers={"Host": "localhost"})
    assert answer.status_code == 500
    shown = answer.headers["X-Request-Id"]
    assert shown in await answer.get_data(as_text=True)
    trace, request = journal.facts()
    assert trace["request"] == request["request"] == shown
    assert "ZeroDivisionError" in trace["trace"]


async def test_text_lines_carry_the_id_too(world: World, text: Lines) -> None:
    answer = await world.visitor().get("/explore")
    assert text.lines[-1].endswith(f" ms [{answer.headers['X-Request-Id']}]")


async def test_probes_and_files_are_worth_a_line_only_when_they_fail(
    world: World, journal: Lines
) -> None:
    for path in ("/healthz", "/readyz", "/static/app.css"):
        assert (await world.visitor().get(path)).status_code == 200
    assert journal.lines == []
    await world.site.hub.drain()
    await world.visitor().get("/readyz")
    assert [line["status"] for line in journal.facts()] == [503]


async def test_what_is_logged_elsewhere_carries_no_id(world: World, journal: Lines) -> None:
    await world.visitor().get("/explore")
    logging.getLogger("microblog.elsewhere").warning("by itself")
    assert "request" not in journal.facts()[-1]


GIVEN = "0123456789abcdef-ABC"


@pytest.mark.parametrize(
    ("trusted", "given", "believed"),
    [
        ("127.0.0.1", GIVEN, True),
        ("", GIVEN, False),
        ("10.0.0.0/8", GIVEN, False),
        ("127.0.0.1", "x" * 65, False),
        ("127.0.0.1", "a b", False),
        ("127.0.0.1", 'forged" level=', False),
        ("127.0.0.1", "", False),
    ],
)
async def test_only_a_proxy_of_ours_may_choose_the_id(
    settings: Settings, trusted: str, given: str, believed: bool
) -> None:
    app = create_app(replace(settings, trusted_proxies=trusted))
    async with app.test_app() as running:
        client = running.test_client()
        answer = await client.get(
            "/explore", headers={"X-Request-Id": given},
            scope_base={"client": ("127.0.0.1", 4711)},
        )  # fmt: skip
    assert (answer.headers["X-Request-Id"] == given) is believed


async def test_the_log_holds_no_password_no_token_and_no_text(world: World, journal: Lines) -> None:
    visitor = Visitor(world)
    await visitor.registers("ada")
    await visitor.submit("/posts", page="/", body="my inmost thought", idempotency_key=new_key())
    await Visitor(world).signs_in("ada", "a wrong password")
    await visitor.page("/password/reset/a-token-from-a-mail", 404)
    said = "\n".join(journal.lines)
    assert len(journal.lines) > 5
    for secret in (PASSWORD, "a wrong password", "inmost", "a-token", "ada@example.org", "ada"):
        assert secret not in said
