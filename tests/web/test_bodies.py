"""Bodies that come slowly, without a length, or in very many parts (SECURITY 41)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart import Quart

from microblog.web.bodies import MOST_BYTES, MOST_PARTS
from tests.world import World

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPLOAD = "/settings/profile/avatar"


async def status(connection: Any) -> int:
    """Of an answer that comes while the body is still open."""
    async with asyncio.timeout(5):
        await connection.receive()
    return int(connection.status_code)


async def test_who_sends_a_form_slowly_is_cut_off(app: Quart, world: World) -> None:
    assert app.config["BODY_TIMEOUT"] <= 30
    app.config["BODY_TIMEOUT"] = 0.1
    request = world.visitor().request("/login", method="POST", headers=FORM)
    async with request as connection:
        await connection.send(b"csrf_token=")  # and then nothing
        assert await status(connection) == 408


async def test_a_body_without_a_length_is_counted_as_it_comes(world: World) -> None:
    """As chunks; the answer does not wait for an end that may never come."""
    susan = await world.person("susan")
    request = susan.client.request("/posts", method="POST", headers=FORM)
    async with request as connection:
        await connection.send(f"csrf_token={susan.csrf}&body=".encode())
        for _ in range(9):
            await connection.send(b"x" * (MOST_BYTES // 8))
        assert await status(connection) == 413


async def test_a_length_that_is_too_much_is_refused_before_anything_comes(world: World) -> None:
    declared = FORM | {"Content-Length": str(MOST_BYTES + 1)}
    request = world.visitor().request("/login", method="POST", headers=declared)
    async with request as connection:
        assert await status(connection) == 413


@pytest.mark.parametrize(("parts", "answered"), [(20, 303), (21, 413)])
async def test_twenty_parts_are_taken_and_no_more(world: World, parts: int, answered: int) -> None:
    assert MOST_PARTS == 20
    susan = await world.person("susan")
    fields = {"csrf_token": susan.csrf, "remove": "on"}
    fields |= {f"field{n}": "x" for n in range(parts - len(fields))}
    body = "".join(
        f'--sign\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    answer = await susan.client.post(
        UPLOAD, data=f"{body}--sign--\r\n".encode(),
        headers={"Content-Type": "multipart/form-data; boundary=sign"},
    )  # fmt: skip
    assert answer.status_code == answered
