from __future__ import annotations

import io
import re

import pytest
from quart.datastructures import FileStorage

from tests.web.visitor import Visitor, text
from tests.world import World


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    await world.person("bob")
    return visitor


async def sends(visitor: Visitor, content: bytes | None) -> tuple[int, str]:
    page = await visitor.page("/settings/import")
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    files = {}
    if content is not None:
        files["list"] = FileStorage(io.BytesIO(content), filename="../../etc/passwd.csv")
    answer = await visitor.client.post(
        "/settings/import", form={"csrf_token": token[1]}, files=files
    )
    return answer.status_code, await text(answer)


async def test_a_list_is_brought_along(ada: Visitor) -> None:
    content = b"Account address\nbob@localhost\n<b>eve</b>@other.example\n"
    status, page = await sends(ada, content)
    assert status == 200
    assert "You follow 1 more person." in page
    assert "&lt;b&gt;eve&lt;/b&gt;@other.example" in page
    assert "is on another site" in page
    assert "@bob" in await ada.page("/@ada/following")


@pytest.mark.parametrize("content", [None, b"", b"\x00"])
async def test_no_list_is_said_beside_the_field(ada: Visitor, content: bytes | None) -> None:
    status, page = await sends(ada, content)
    assert status == 422
    assert "There is no list in this file" in page
    assert 'id="list-error"' in page


async def test_too_large_a_file_is_refused(ada: Visitor) -> None:
    status, _ = await sends(ada, b"x" * 1_100_000)
    assert status == 413
