"""What every answer says to browsers, whatever became of the request (SECURITY 13, 27, 28)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from quart import Quart, Response

from microblog.app import create_app
from microblog.settings import Settings
from microblog.signin import resets
from tests.world import World

HTTPS = "https://blog.example"

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "microblog",
}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
PLACES = {  # by the status that is answered there
    "/explore": 200, "/static/app.css": 200, "/healthz": 200, "/robots.txt": 200,
    "/settings/profile": 303, "/nothing-here": 404, "/@nobody": 404, "/logout": 405,
    "/password/reset/broken": 500,
}  # fmt: skip


def policy(answer: Response) -> dict[str, str]:
    said = answer.headers.getlist("Content-Security-Policy")
    assert len(said) == 1
    parts = [part.strip().partition(" ") for part in said[0].split(";")]
    assert len(parts) == len({name for name, _, _ in parts})  # browsers take the first
    return {name: value for name, _, value in parts}


@pytest.fixture
def broken(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(resets, "account_of", fail)
    app.config["PROPAGATE_EXCEPTIONS"] = False


async def test_every_directive_and_header_is_on_every_kind_of_answer(
    world: World, broken: None
) -> None:
    for path, status in PLACES.items():
        answer = await world.visitor().get(path)
        assert answer.status_code == status, path
        looks_right(answer, path)
    refused = await world.visitor().post("/posts", form={"body": "x"})
    assert refused.status_code == 403
    looks_right(refused, "/posts")
    foreign = await world.visitor().get("/", headers={"Host": "evil.example"})
    assert foreign.status_code == 400
    looks_right(foreign, "a foreign host")


def looks_right(answer: Response, path: str) -> None:
    headers = answer.headers
    assert policy(answer) == POLICY, path
    assert {name: headers.get(name) for name in ALWAYS} == ALWAYS, path
    secret = path.startswith("/password/reset/")
    assert headers["Referrer-Policy"] == ("no-referrer" if secret else "same-origin"), path
    assert not {"Server", "X-Powered-By", "Via"} & {name.title() for name, _ in headers}, path
    if not path.startswith("/static/"):
        assert "Cookie" in headers["Vary"], path
        assert headers["Cache-Control"] == ("no-store" if secret else "private, no-cache"), path


async def test_what_members_get_is_stored_nowhere(world: World) -> None:
    susan = await world.person("susan")
    for path in ("/", "/explore", "/settings/profile", "/nothing-here", "/login"):
        answer = await susan.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert "Cookie" in answer.headers["Vary"], path


@pytest.fixture
async def site_on_https(settings: Settings) -> AsyncIterator[Quart]:
    app = create_app(replace(settings, base_url=HTTPS))
    async with app.test_app():
        yield app


async def test_on_https_every_answer_insists_on_it(site_on_https: Quart, world: World) -> None:
    client: Any = site_on_https.test_client()
    for path, status in {"/explore": 200, "/nothing": 404, "/settings/profile": 303}.items():
        answer = await client.get(path, headers={"Host": "blog.example"})
        assert answer.status_code == status
        said = answer.headers["Strict-Transport-Security"]
        assert int(re.findall(r"max-age=(\d+)", said)[0]) >= 31_536_000
        plain = await world.visitor().get(path)
        assert "Strict-Transport-Security" not in plain.headers  # would close the port for others


async def test_no_page_may_be_read_by_the_script_of_another_site(world: World) -> None:
    """Asked of every route, by a browser that has the cookie and one that asks in advance."""
    susan = await world.person("susan")
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    paths = {re.sub(r"<[^>]*>", "1", rule.rule) for rule in world.app.url_map.iter_rules()}
    assert len(paths) > 80
    for path in sorted(paths | {"/nothing-here", "/static/app.css"}):
        for method in ("GET", "OPTIONS"):
            answer = await susan.client.open(path, method=method, headers=asking)
            shares = [name for name, _ in answer.headers
                      if name.lower().startswith(("access-control-", "timing-allow"))]  # fmt: skip
            assert not shares, (method, path)


async def test_security_txt_says_whom_to_write_to_and_has_not_expired(world: World) -> None:
    answer = await world.visitor().get("/.well-known/security.txt")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    said = dict(re.findall(r"^([\w-]+): (.+)$", await answer.get_data(as_text=True), re.MULTILINE))
    assert re.fullmatch(r"mailto:[^@\s]+@\S+", said["Contact"])
    left = datetime.fromisoformat(said["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=366)  # RFC 9116 asks for less than a year
