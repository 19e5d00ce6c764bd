from __future__ import annotations

import pytest

from microblog.accounts import queries as accounts
from tests.web.visitor import Visitor, text
from tests.world import World

SAID = {
    "display_name": "Ada", "bio": "Numbers.", "pronouns": "she/her", "location": "London <i>",
    "link_label_1": "Notes <b>", "link_url_1": "https://example.org/notes?a=1&b=2",
    "link_label_3": "", "link_url_3": "http://www.xn--pple-43d.example",
}  # fmt: skip


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def test_a_profile_says_who_somebody_is(world: World, ada: Visitor) -> None:
    assert (await ada.submit("/settings/profile", **SAID)).status_code == 303
    page = await Visitor(world).page("/@ada")
    assert "she/her" in page
    assert "London &lt;i&gt;" in page
    assert "Notes &lt;b&gt;" in page
    assert (
        '<a href="https://example.org/notes?a=1&amp;b=2" rel="me nofollow noopener" dir="ltr">'
        "example.org/notes?a=1&amp;b=2</a>"
    ) in page
    assert ">www.xn--pple-43d.example</a>" in page
    form = await ada.page("/settings/profile")
    assert 'value="http://www.xn--pple-43d.example"' in form
    assert 'value="London &lt;i&gt;"' in form


async def test_refused_fields_stay_as_typed_and_nothing_is_saved(
    world: World, ada: Visitor
) -> None:
    wrong = SAID | {"pronouns": "x" * 41, "link_url_1": "javascript:alert(1)"}
    answer = await ada.submit("/settings/profile", **wrong)
    page = await text(answer)
    assert answer.status_code == 422
    assert 'value="javascript:alert(1)"' in page
    assert "at most 40 characters" in page
    assert 'href="#link_url_1"' in page
    async with world.db.reading() as session:
        mine = await accounts.by_name(session, "ada")
    assert (mine.pronouns, mine.links, mine.bio) == ("", [], "")


async def test_links_are_taken_away_again(world: World, ada: Visitor) -> None:
    await ada.submit("/settings/profile", **SAID)
    await ada.submit("/settings/profile", display_name="Ada", bio="")
    async with world.db.reading() as session:
        mine = await accounts.by_name(session, "ada")
    assert (mine.pronouns, mine.location, mine.links) == ("", "", [])
