"""What is refused before any work (SECURITY 8, 10, 12, 27, 28, 41, 46)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from quart import Quart
from sqlalchemy import update
from werkzeug.datastructures import Headers

from microblog.app import create_app
from microblog.kernel import clock
from microblog.settings import Settings
from microblog.signin import resets
from microblog.signin.model import LoginSession
from microblog.web import client
from microblog.web.bodies import BoundedBody
from tests.world import World, new_key


async def published(world: World, who: str, headers: dict[str, str]) -> int:
    person = await world.person(who)
    answer = await person.submit("/posts", headers, body="hello", idempotency_key=new_key())
    return answer.status_code


async def test_a_form_from_this_site_is_taken(world: World) -> None:
    origin = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert await published(world, "susan", origin) == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_from_elsewhere_is_refused_though_its_token_is_right(
    world: World, headers: dict[str, str]
) -> None:
    assert await published(world, "susan", headers) == 403


async def test_a_missing_wrong_or_foreign_token_is_refused(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    for token in ("", "0" * 40, david.csrf):
        answer = await susan.submit(
            "/posts", csrf_token=token, body="forged words", idempotency_key=new_key()
        )
        assert answer.status_code == 403
    assert "forged words" not in await susan.page("/explore")


async def test_a_text_sent_with_a_stale_page_comes_back(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.submit("/posts", csrf_token="old", body="my long thought")
    assert answer.status_code == 403
    assert "my long thought" in await answer.get_data(as_text=True)


@pytest.mark.parametrize("host", ["evil.example", "localhost:8080", "localhost.evil.example", ""])
async def test_a_foreign_host_is_refused(world: World, host: str) -> None:
    answer = await world.visitor().get("/explore", headers={"Host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_the_names_of_this_machine_are_equal(world: World, host: str) -> None:
    assert (await world.visitor().get("/explore", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/explore", "/nothing-here", "/login", "/healthz", "/static/app.css"]
)
async def test_every_answer_carries_the_security_headers(world: World, path: str) -> None:
    headers = (await world.visitor().get(path)).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Request-Id"]
    assert "Hypercorn" not in str(headers)


async def test_a_refusal_carries_them_too(world: World) -> None:
    answer = await world.visitor().post("/posts", form={"body": "x"})
    assert answer.status_code == 403
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_pages_of_members_are_kept_by_no_cache(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.get("/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Cookie" in answer.headers["Vary"]


async def test_pages_with_a_secret_in_the_address_tell_no_referrer(world: World) -> None:
    answer = await world.visitor().get("/password/reset/abc")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "cookie", ["x", "x" * 3900, "eyJ.eyJ.eyJ", "YWJj.c2ln", '"\\"', "%00", "1.2.3.4"]
)
async def test_a_broken_cookie_is_a_visitor_and_never_an_error(app: Quart, cookie: str) -> None:
    client = app.test_client()
    client.set_cookie("localhost", "session", cookie)
    client.set_cookie("localhost", "flash", cookie)
    answer = await client.get("/")
    assert answer.status_code == 200
    assert "Create account" in await answer.get_data(as_text=True)


async def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.submit("/posts", body="x" * (1024 * 1024 + 10))
    assert answer.status_code == 413


async def test_a_post_of_more_than_16_kib_is_refused_and_comes_back(world: World) -> None:
    susan = await world.person("susan")
    body = "e\u0301" * 400 + "\u0301" * 9000
    answer = await susan.submit("/posts", body=body, idempotency_key=new_key())
    assert answer.status_code == 422
    assert "\u0301" * 100 in await answer.get_data(as_text=True)


async def test_more_than_a_hundred_fields_are_refused(world: World) -> None:
    susan = await world.person("susan")
    fields = {f"field{n}": "x" for n in range(101)}
    assert (await susan.submit("/posts", body="hi", **fields)).status_code == 422


async def test_scripts_get_errors_as_json(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.submit(
        "/posts", {"Accept": "application/json"}, body=" ", idempotency_key="k" * 20
    )
    said = await answer.get_json()
    assert answer.status_code == 422
    assert set(said) == {"error", "fields", "id"}
    assert said["fields"]["body"]
    answer = await world.visitor().get("/nothing", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert set(await answer.get_json()) == {"error", "fields", "id"}


async def test_a_failure_shows_a_reference_and_no_trace(app: Quart, world: World) -> None:
    susan = await world.person("susan")
    async with world.db.writing() as session:
        await (await session.connection()).exec_driver_sql("DROP TABLE notifications")
    answer = await susan.get("/notifications")
    text = await answer.get_data(as_text=True)
    assert answer.status_code in (500, 503)
    assert "Traceback" not in text
    assert "sqlalchemy" not in text.lower()


@pytest.mark.parametrize(
    "path",
    [
        "/@nobody", "/@", "/@x/abc", "/@x/99999999999999999999999", "/@x/-1", "/@x/0", "/tags/%00",
        "/@%F0%9F%98%80", "/posts/1/edit", "/explore?before=abc", "/explore?before=-5",
        "/explore?before=999999999999999999999",
        "/u/x", "/confirm/x", "/dev/mail/9", "/%ff", "/..%2f",
        "/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/login?next=//evil",
        "/notifications?before=x", "/@x/followers?after=zzz", "/posts/new?in_reply_to=zz",
    ],
)  # fmt: skip
async def test_odd_addresses_are_never_a_failure(world: World, path: str) -> None:
    susan = await world.person("susan")
    answer = await susan.get(path)
    assert answer.status_code < 500, await answer.get_data(as_text=True)
    assert "hatchling" not in await answer.get_data(as_text=True)


async def test_half_a_million_fields_are_not_taken_apart(world: World) -> None:
    answer = await world.visitor().post(
        "/login",
        data=b"a&" * 500_000,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413


def test_a_body_that_was_too_much_is_dropped_at_once() -> None:
    body = BoundedBody(None, 1000)
    for _ in range(5):
        body.append(b"x" * 900)
    assert len(body._data) == 0


async def test_a_refused_method_is_told_which_there_are(world: World) -> None:
    answer = await world.visitor().get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


async def test_a_failure_is_logged_without_the_token_in_its_address(
    app: Quart, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(resets, "account_of", fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = await world.visitor().get("/password/reset/very-secret")
    assert answer.status_code == 500
    assert "very-secret" not in "".join(r.getMessage() for r in caplog.records)


async def test_pages_are_read_while_nothing_can_be_written(world: World) -> None:
    """Every few minutes a visit is noted; on a full disk that must not cost the page."""
    susan = await world.person("susan")
    async with world.db.writing() as session:
        long_ago = clock.now() - timedelta(hours=1)
        await session.execute(update(LoginSession).values(last_seen_at=long_ago))
    world.db._busy_timeout = 0.05
    async with world.db._turn:
        assert (await susan.get("/")).status_code == 200


@pytest.mark.parametrize("lines", [["6.6.6.6, 8.8.8.8"], ["6.6.6.6", "8.8.8.8"]])
async def test_only_what_the_proxy_has_added_is_believed(
    settings: Settings, lines: list[str]
) -> None:
    app = create_app(replace(settings, trusted_proxies="10.0.0.1"))
    headers = [("X-Forwarded-For", line) for line in lines]
    scope = {"client": ("10.0.0.1", 999)}
    async with app.test_request_context("/", headers=Headers(headers), scope_base=scope):
        assert client.address() == "8.8.8.8"


def test_limits_are_by_address_and_places_are_remembered_coarsely() -> None:
    assert client.single("10.1.2.3") != client.single("10.1.2.4")
    assert client.coarse("10.1.2.3") == client.coarse("10.1.2.4")
    assert client.single("2001:db8::1") == client.single("2001:db8::2")
