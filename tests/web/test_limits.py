"""Limits that no single page is about: by whichever spelling, from everywhere, of pictures, of open
pages (SECURITY 39, 43)."""

from __future__ import annotations

import io
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from quart import Quart, Response
from quart.datastructures import FileStorage
from quart.testing.connections import WebsocketResponseError
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from microblog.media import workshop
from microblog.settings import Settings
from microblog.web import limits
from microblog.web.attempts import ALL
from microblog.web.live import SOCKETS_PER_ACCOUNT, SOCKETS_PER_ADDRESS
from tests.test_house import UNSAFE
from tests.web.visitor import Visitor, text
from tests.world import Person, World


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, limits="default")


# -- other spellings -------------------------------------------------------------------------


def other_spellings(path: str) -> list[str]:
    first = path[1]
    return [
        f"{path}/", f"/{path}", f"{path}.json", f"{path};x=1", f"{path}%20", f"/.{path}",
        path.upper(), path.title(), f"/%{ord(first):02x}{path[2:]}", f"{path}\0",
    ]  # fmt: skip


async def test_no_route_is_reached_as_another_one(app: Quart) -> None:
    """Limits count by route: a second one that does the same would be a second bucket."""
    routes = app.url_map.bind("localhost")
    changing = [rule for rule in app.url_map.iter_rules() if UNSAFE & (rule.methods or set())]
    rules = {rule.endpoint: rule for rule in changing}
    views = [app.view_functions[endpoint] for endpoint in rules]
    assert 50 < len(views) == len(set(views))
    for rule in changing:
        fixed = re.sub(r"<[^>]*>", "7", rule.rule)
        for spelled in other_spellings(fixed):
            found = reached(routes, spelled)
            # Where a name may stand, "archive.json" is one; what is there is another act.
            assert found in (None, rule.endpoint) or rules[found].arguments, spelled


def reached(routes: Any, path: str) -> str | None:
    try:
        return str(routes.match(path, method="POST")[0])
    except (NotFound, MethodNotAllowed):
        return None
    except RequestRedirect as elsewhere:  # where it is counted
        return reached(routes, re.sub(r"^https?://[^/]*", "", elsewhere.new_url))


async def test_other_spellings_of_the_sign_in_share_its_ten_tries(world: World) -> None:
    await Visitor(world).registers("ada")
    mallory = Visitor(world)
    for _ in range(10):
        assert (await mallory.signs_in("ada", "wrong horse")).status_code == 401
    page = await mallory.page("/login")
    statuses = {}
    for path in ["/login", "/%6cogin", "//login", *other_spellings("/login")]:
        answer = await mallory.sends(page, path, login="ada", password="wrong horse")
        statuses[path] = answer.status_code
    assert statuses["/login"] == statuses["/%6cogin"] == 429
    assert set(statuses.values()) <= {308, 404, 405, 429}


async def test_names_spelled_otherwise_share_the_hundred_follows(world: World) -> None:
    susan, _ = await world.person("susan"), await world.person("grace")
    rule, _by = world.app.view_functions["follows.follow"].limit  # type: ignore[attr-defined]
    async with world.app.test_request_context("/"):
        for _ in range(int(rule.partition("/")[0]) - 1):
            await limits.hit(rule, f"follows.follow account {susan.id}")
    spellings = ("/@GRACE/follow", "/@grace/follow", "/%40Grace/follow", "//@grace/follow")
    answers = [await susan.submit(path) for path in spellings]
    assert [answer.status_code for answer in answers] == [303, 429, 429, 429]


# -- from everywhere -------------------------------------------------------------------------


async def test_guesses_from_everywhere_are_stopped_and_known_devices_are_not(world: World) -> None:
    ada = Visitor(world)
    await ada.registers("ada")
    await ada.submit("/logout", page="/settings/account")
    most = int(ALL.partition("/")[0])
    assert most <= 3000
    async with world.app.test_request_context("/login"):
        for _ in range(most - 1):
            await limits.hit(ALL, "sign-in")
    assert (await signs_in_from(world, "10.1.0.1", "grace")).status_code == 401  # the last guess
    answer = await signs_in_from(world, "10.2.0.1", "henry")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert (
        await signs_in_from(world, "10.3.0.1", "ada", "correct horse battery")
    ).status_code == 429
    assert (await ada.signs_in()).status_code == 303


async def signs_in_from(
    world: World, address: str, login: str, password: str = "wrong horse"
) -> Response:
    visitor = Visitor(world)
    page = await visitor.page("/login")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "login": login, "password": password}
    answer: Response = await visitor.client.post(
        "/login", form=form, scope_base={"client": (address, 1)}
    )
    return answer


# -- pictures --------------------------------------------------------------------------------


async def test_twenty_pictures_an_hour_are_enough(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    susan, grace = await world.person("susan"), await world.person("grace")
    with monkeypatch.context() as quick:
        quick.setattr(workshop, "_run", lambda *_: (3, b""))  # what it says of no picture
        for _ in range(10):
            for kind in ("avatar", "header"):
                assert (await sends_picture(susan, kind, b"no picture")).status_code == 422
    answer = await sends_picture(susan, "avatar", drawn(), avatar_alt="Me at sea")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 3000
    assert "Me at sea" in await text(answer)
    described = await susan.submit("/settings/profile/avatar", remove="on")
    assert described.status_code == 303  # no picture is sent
    assert (await sends_picture(grace, "avatar", drawn())).status_code == 303


def drawn() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(file, "PNG")
    return file.getvalue()


async def sends_picture(person: Person, kind: str, content: bytes, **fields: str) -> Response:
    answer: Response = await person.client.post(
        f"/settings/profile/{kind}", form={"csrf_token": person.csrf, **fields},
        files={kind: FileStorage(io.BytesIO(content), filename="me.png")},
    )  # fmt: skip
    return answer


# -- open pages ------------------------------------------------------------------------------


async def opens(stack: AsyncExitStack, client: Any, address: str) -> Any:
    """Its socket, or the status that refused it."""
    socket = client.websocket(
        "/live?stream=public", headers={"Origin": "http://localhost", "Host": "localhost"},
        scope_base={"client": (address, 1)},
    )  # fmt: skip
    opened = await stack.enter_async_context(socket)
    await opened.send("")  # stands for websocket.connect, which the test client leaves out
    try:
        await opened.receive()
    except WebsocketResponseError as refused:
        return refused.response.status_code
    return opened


async def test_an_account_has_twenty_open_pages_wherever_they_are(world: World) -> None:
    assert SOCKETS_PER_ACCOUNT == 20
    susan, grace = await world.person("susan"), await world.person("grace")
    async with AsyncExitStack() as stack:
        for n in range(20):
            assert not isinstance(await opens(stack, susan.client, f"10.0.0.{n}"), int)
        assert await opens(stack, susan.client, "10.9.9.9") == 429
        other = await world.on_another_device(susan)
        assert await opens(stack, other.client, "10.9.9.9") == 429
        assert not isinstance(await opens(stack, grace.client, "10.9.9.9"), int)
    assert world.site.hub.open_sockets(susan.id, "")[0] == 0


async def test_an_address_has_fifty_open_pages_whosever_they_are(world: World) -> None:
    assert SOCKETS_PER_ADDRESS == 50
    susan = await world.person("susan")
    async with AsyncExitStack() as stack:
        for _ in range(50):
            assert not isinstance(await opens(stack, world.visitor(), "10.0.0.1"), int)
        assert await opens(stack, world.visitor(), "10.0.0.1") == 429
        assert await opens(stack, susan.client, "10.0.0.1") == 429
        assert not isinstance(await opens(stack, world.visitor(), "10.0.0.2"), int)
