"""Static files are kept for ever under addresses that change with them."""

from __future__ import annotations

import re

from tests.world import World


async def test_every_file_a_page_names_is_there_and_kept_for_ever(world: World) -> None:
    visitor = world.visitor()
    page = await (await visitor.get("/")).get_data(as_text=True)
    named = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert len(named) > 5
    for address in named:
        answer = await visitor.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["Cache-Control"], address


async def test_scripts_import_one_another_within_one_version(world: World) -> None:
    visitor = world.visitor()
    page = await (await visitor.get("/")).get_data(as_text=True)
    entry = re.search(r'src="(/static/~[0-9a-f]+/js/)app\.js"', page)
    assert entry
    source = await (await visitor.get(entry[1] + "app.js")).get_data(as_text=True)
    imported = re.findall(r'(?:from|import) "\./([^"]+)"', source)
    assert imported
    for name in imported:
        answer = await visitor.get(entry[1] + name)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


async def test_a_file_without_its_version_is_asked_for_again(world: World) -> None:
    answer = await world.visitor().get("/static/js/app.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["ETag"]
    old = await world.visitor().get("/static/~000000000000/js/app.js")
    assert (old.status_code, old.headers["Cache-Control"]) == (200, "no-cache")
