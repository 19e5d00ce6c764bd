"""Cookies of other keys and other browsers (SECURITY 7, 8), and of the key before (44)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from quart import Quart, Response

from microblog.app import create_app
from microblog.settings import Settings
from tests.conftest import KEY
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

OTHER_KEY = "other-key-0123456789-abcdefghijklmnop"
NEWS = "/notifications"  # for members


Sealed = Callable[..., tuple[Quart, str]]


@pytest.fixture
async def sealed(settings: Settings) -> AsyncIterator[Sealed]:
    """The site with other keys, and its cookie for a token."""
    apps: list[Quart] = []

    def seal(token: str, **keys: str) -> tuple[Quart, str]:
        apps.append(app := create_app(replace(settings, **keys)))
        return app, app.extensions["QUART_AUTH"][0].dump_token(token, app)

    yield seal
    for app in apps:
        await app.extensions["microblog"].db.close()


async def asks_with(app: Quart, cookie: str) -> Response:
    client: Any = app.test_client()
    client.set_cookie("localhost", "session", cookie)
    answer: Response = await client.get(NEWS)
    return answer


async def test_a_cookie_that_another_key_has_signed_is_a_visitors(
    world: World, sealed: Sealed
) -> None:
    susan = await world.person("susan")
    _, right = sealed(susan.token)
    _, forged = sealed(susan.token, secret_key=OTHER_KEY)
    assert (await asks_with(world.app, right)).status_code == 200
    answer = await asks_with(world.app, forged)
    assert (answer.status_code, answer.location[:6]) == (303, "/login")


async def test_a_cookie_outlives_one_change_of_the_key_and_not_two(
    world: World, sealed: Sealed
) -> None:
    susan = await world.person("susan")
    _, cookie = sealed(susan.token)
    once, renewed = sealed(susan.token, secret_key=OTHER_KEY, secret_key_old=KEY)
    assert (await asks_with(once, cookie)).status_code == 200
    assert (await asks_with(once, renewed)).status_code == 200
    assert (await asks_with(world.app, renewed)).status_code == 303  # it is the new key that signs
    twice, _ = sealed(susan.token, secret_key="third" * 9, secret_key_old=OTHER_KEY)
    assert (await asks_with(twice, cookie)).status_code == 303
    assert (await asks_with(twice, renewed)).status_code == 200


@pytest.mark.parametrize("whose", ["ada", "mallory"])
async def test_a_visitors_form_is_bound_to_the_visitors_browser(world: World, whose: str) -> None:
    """Who can plant a cookie can have a form of their own sent: it must not fit another cookie."""
    await Visitor(world).registers("ada")
    browsers = {"ada": Visitor(world), "mallory": Visitor(world)}
    page = await browsers[whose].page("/login")
    await browsers["ada"].page("/login")
    answer = await browsers["ada"].sends(page, "/login", login="ada", password=PASSWORD)
    assert answer.status_code == (303 if whose == "ada" else 403)
    assert (await browsers["ada"].who() is None) is (whose == "mallory")
