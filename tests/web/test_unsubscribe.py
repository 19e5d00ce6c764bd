from __future__ import annotations

from sqlalchemy import update

from microblog.accounts.model import Account
from microblog.notifications import queries
from microblog.notifications.queries import KINDS
from microblog.notifications.unsubscribe import token
from tests.world import Person, World


def link(world: World, person: Person, kind: str) -> str:
    made = token(world.site.unsubscribe_key, person.id, kind, f"{person.name}@example.org")
    return f"/u/{made}"


async def muted(world: World, person: Person) -> set[str]:
    async with world.db.reading() as session:
        return await queries.muted(session, person.id)


async def test_opening_the_link_shows_what_would_stop_and_stops_nothing(world: World) -> None:
    susan = await world.person("susan")
    answer = await world.visitor().get(link(world, susan, "mention"))

    page = await answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "mentions of you" in page
    assert "s…@example.org" in page
    assert "susan@" not in page
    assert await muted(world, susan) == set()
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_one_click_stops_it_without_cookie_token_or_origin(world: World) -> None:
    susan = await world.person("susan")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"List-Unsubscribe=One-Click"
    for _ in range(2):
        answer = await world.visitor().post(
            link(world, susan, "mention"), data=body, headers=headers
        )
        assert answer.status_code == 200
        assert "Mail switched off" in await answer.get_data(as_text=True)
    assert await muted(world, susan) == {"mention"}


async def test_one_click_works_from_another_origin_and_as_multipart(world: World) -> None:
    susan = await world.person("susan")
    headers = {"Origin": "https://mail.example.com", "Sec-Fetch-Site": "cross-site"}
    fields = {"List-Unsubscribe": "One-Click"}
    answer = await world.visitor().post(link(world, susan, "reply"), form=fields, headers=headers)
    assert answer.status_code == 200
    assert await muted(world, susan) == {"reply"}


async def test_the_button_on_the_page_stops_it_for_those_signed_in_as_someone_else(
    world: World,
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    answer = await david.client.post(link(world, susan, "follow"))
    assert answer.status_code == 200
    assert await muted(world, susan) == {"follow"}
    assert await muted(world, david) == set()


async def test_the_link_of_a_digest_stops_all_kinds(world: World) -> None:
    susan = await world.person("susan")
    answer = await world.visitor().post(
        link(world, susan, "digest"), headers={"Accept": "application/json"}
    )
    assert await answer.get_json() == {"stopped": list(KINDS)}
    assert await muted(world, susan) == set(KINDS)


async def test_the_link_in_a_real_letter_stops_the_next_one(world: World) -> None:
    await world.person("susan")
    david = await world.person("david")
    await david.posts("Hello @susan")
    await world.settle()
    (letter,) = await world.letters()
    url = dict(letter.headers)["List-Unsubscribe"].strip("<>")
    await world.visitor().post(url.removeprefix("http://localhost"))

    await david.posts("Hello again @susan")
    await world.settle()
    assert len(await world.letters()) == 1


async def test_a_bad_token_is_a_page_that_says_so(world: World) -> None:
    susan = await world.person("susan")
    good = link(world, susan, "mention")
    for bad in (good[:-1], "/u/x", good.replace("mention", "follow"), f"/u/{'9' * 2000}"):
        for answer in (await world.visitor().get(bad), await world.visitor().post(bad)):
            assert answer.status_code == 404
            assert "does not stop any mail" in await answer.get_data(as_text=True)
    assert await muted(world, susan) == set()


async def test_a_link_dies_with_the_address_it_was_sent_to(world: World) -> None:
    susan = await world.person("susan")
    async with world.db.writing() as session:
        new = {"email": "new@example.org", "email_key": "new@example.org"}
        await session.execute(update(Account).where(Account.id == susan.id).values(**new))
    answer = await world.visitor().post(link(world, susan, "mention"))
    assert answer.status_code == 404
    assert await muted(world, susan) == set()
