from __future__ import annotations

import re

from sqlalchemy import func, select

from microblog.kernel.events import LoggedEvent
from tests.world import World


async def test_the_page_shows_what_one_was_told_newest_first(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await susan.posts("A question")
    await david.follows(susan)
    await david.posts("An answer with <i>marks</i>", in_reply_to=first)
    await world.settle()

    page = await susan.page("/notifications")

    assert re.findall(r'data-kind="(\w+)"', page) == ["reply", "follow"]
    assert "An answer with &lt;i&gt;marks&lt;/i&gt;" in page
    assert page.count('data-unread="true"') == 2
    assert re.search(r'data-position="\w+\.\d+" data-stream="none"', page)


async def test_looking_at_the_page_changes_nothing(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await world.settle()

    async def last_event() -> int:
        async with world.db.reading() as session:
            return await session.scalar(select(func.max(LoggedEvent.id))) or 0

    before = await last_event()
    for _ in range(2):
        assert 'data-unread="true"' in await susan.page("/notifications")
    assert await last_event() == before


async def test_the_button_reads_all_and_goes_away(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await world.settle()
    assert 'action="/notifications/read"' in await susan.page("/notifications")

    answer = await susan.submit("/notifications/read")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/notifications")
    page = await susan.page("/notifications")
    assert 'data-unread="true"' not in page
    assert 'action="/notifications/read"' not in page


async def test_a_script_is_answered_in_json(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.submit("/notifications/read", {"Accept": "application/json"})
    assert (answer.status_code, await answer.get_json()) == (
        200,
        {"url": "/notifications", "unread": 0},
    )


async def test_an_empty_page_says_what_will_be_here(world: World) -> None:
    susan = await world.person("susan")
    page = await susan.page("/notifications")
    assert "Nothing yet" in page
    assert 'href="/explore"' in page


async def test_older_ones_are_on_the_next_page(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    for n in range(33):
        await david.posts(f"number {n} @susan")
    await world.settle()

    first = await susan.page("/notifications")
    found = re.search(r'href="(/notifications\?before=\d+)"', first)
    assert found is not None
    second = await susan.page(found[1])

    shown = [re.findall(r"number (\d+) ", page) for page in (first, second)]
    assert [int(n) for page in shown for n in page] == list(range(32, -1, -1))
    assert "?before=" not in second


async def test_places_that_are_none_mean_the_top(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await world.settle()
    for place in ("", "x", "-1", "0", "9" * 40, "1e9", "%00", "%D9%A1"):
        assert 'data-kind="follow"' in await susan.page(f"/notifications?before={place}")


async def test_visitors_sign_in_first_and_nobody_sees_those_of_others(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await world.settle()

    answer = await world.visitor().get("/notifications")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/notifications")
    assert "data-kind" not in await david.page("/notifications")


async def test_reading_all_needs_the_form_of_this_browser(world: World) -> None:
    susan = await world.person("susan")
    answer = await susan.client.post("/notifications/read", form={"csrf_token": "made up"})
    assert answer.status_code == 403
