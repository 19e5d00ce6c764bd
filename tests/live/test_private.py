"""Posts of private accounts on pages that are open: for followers, from the moment they are."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

import pytest

from tests.live.conftest import Meet
from tests.live.test_socket import Screen, refused, watching
from tests.person import Person, position_in
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

ROUNDS = 15  # on each kind of database
SOON = 1.0  # seconds, SECURITY R6


async def private(meet: Meet) -> Person:
    person = await meet()
    await goes(person, "followers")
    return person


async def goes(person: Person, audience: str) -> None:
    assert (await person.submit("/settings/privacy", audience=audience)).status_code == 303


async def lets_in(person: Person, other: Person) -> None:
    answer = await person.submit(f"/follow-requests/{other.name}", answer="accept")
    assert answer.status_code == 303


async def removes(person: Person, other: Person) -> None:
    assert (await person.submit(f"/followers/{other.name}/remove")).status_code == 303


async def account_of(person: Person) -> str:
    page = await person.page(f"/@{person.name}")
    return page.split('data-stream="')[1].split('"')[0]


async def test_every_page_that_others_may_have_open_stays_quiet(
    site: SiteProcess, meet: Meet
) -> None:
    ada, eve = await private(meet), await meet()
    bob, rick = await meet(ada), await meet(ada)
    await lets_in(ada, bob)
    root = await eve.post("a question #quiet")
    account = await account_of(ada)
    shared = ("public", "tag:quiet", f"thread:{root}")
    visitor = Person(site.url, "visitor")
    async with AsyncExitStack() as stack:

        async def opens(person: Person, stream: str) -> Screen:
            return await stack.enter_async_context(watching(person, stream=stream))

        others = {
            (reader.name, stream): await opens(reader, stream)
            for reader in (eve, rick, visitor)
            for stream in (*shared, account, *(() if reader is visitor else ("home",)))
        }
        theirs = [await opens(bob, one) for one in ("home", account, f"thread:{root}")]
        post = await ada.post("an answer #quiet", in_reply_to=str(root))
        await ada.edit(post, "another #quiet")
        await ada.delete(post)
        known = await eve.post("next #quiet", in_reply_to=str(root))
        for screen in theirs:
            acts = []
            while len(acts) < 3:  # a notification of before may still be on its way
                act = await screen.event()
                acts += [act] if act[1].startswith("post-") else []
            assert acts == [(act, f"post-{post}") for act in ("insert", "replace", "remove")]
        for (name, stream), screen in others.items():
            if stream in shared or (name, stream) == (eve.name, "home"):
                assert await screen.event() == ("insert", f"post-{known}"), (name, stream)
            else:
                assert await screen.stays_quiet(0.05), (name, stream)


async def test_coming_back_shows_no_more(site: SiteProcess, meet: Meet) -> None:
    ada, eve = await private(meet), await meet()
    root = await eve.post("a question #away")
    position = position_in(await eve.page("/explore"))
    post = await ada.post("an answer #away", in_reply_to=str(root))
    for stream in ("public", "tag:away", f"thread:{root}", await account_of(ada), "home"):
        assert f"post-{post}" not in await missed(eve, position, stream), stream


async def missed(person: Person, position: str, stream: str) -> str:
    """All that is said until it has caught up."""
    async with person.socket(since=position, stream=stream) as socket:
        said = [str(await socket.recv())]
        while '"caught_up"' not in said[-1]:
            said.append(str(await socket.recv()))
    return "".join(said)


async def test_the_thread_of_a_hidden_post_is_none(meet: Meet, site: SiteProcess) -> None:
    ada, eve = await private(meet), await meet()
    post = await ada.post("hidden")
    for reader in (eve, Person(site.url, "visitor")):
        assert await refused(reader, stream=f"thread:{post}") == 404
        assert await refused(reader, stream=f"thread:{post + 1}") == 404


async def test_letting_in_and_removing_take_effect_on_the_open_page(meet: Meet) -> None:
    ada, bob = await private(meet), await meet()
    async with watching(bob) as screen, watching(ada) as own:

        async def posts(text: str) -> tuple[str, str]:
            """And wait until it was told to all whom it is for."""
            shown = ("insert", f"post-{await ada.post(text)}")
            while await own.event() != shown:
                pass
            return shown

        waits = []
        for n in range(ROUNDS):
            await bob.follow(ada.name)
            if n % 2:
                await posts("not yet")
            await lets_in(ada, bob)
            began = time.monotonic()
            post = await posts("now")
            while (found := await screen.event()) != post:
                assert found[1].startswith(("notification-", "author-")), found
            waits.append(time.monotonic() - began)
            if n % 3:
                await removes(ada, bob)
            else:
                await bob.unfollow(ada.name)
            await posts("no more")
        last = await bob.post("the end")
        while await screen.event() != ("insert", f"post-{last}"):
            pass
    assert sorted(waits)[ROUNDS // 2] < SOON  # one of them may meet a busy machine
    elements = [one["element"] for one in screen.said if one["type"] == "event"]
    assert sum(one.startswith("post-") for one in elements) == ROUNDS + 1
    assert sum(one.startswith("author-") for one in elements) == ROUNDS


async def test_going_private_empties_open_pages_of_strangers_alone(
    site: SiteProcess, meet: Meet
) -> None:
    ada, eve = await meet(), await meet()
    bob = await meet(ada)
    root = await ada.post("known so far")
    account = await account_of(ada)
    visitor = Person(site.url, "visitor")
    async with (
        watching(visitor, stream="public") as public,
        watching(eve, stream=f"thread:{root}") as thread,
        watching(bob) as home,
    ):
        await goes(ada, "followers")
        for screen in (public, thread):
            assert await screen.event() == ("remove", account.replace("account:", "author-"))
        post = await ada.post("for followers")
        assert await home.event() == ("insert", f"post-{post}")
        assert await public.stays_quiet()


async def test_both_sides_are_told_while_they_look(meet: Meet) -> None:
    ada, bob = await private(meet), await meet()
    async with watching(ada, stream="none") as desk, watching(bob, stream="none") as theirs:
        await bob.follow(ada.name)
        said = await desk.until("event")
        assert said["target"] == "notifications"
        assert "asks to follow you" in said["html"]
        await lets_in(ada, bob)
        assert (await desk.until("count"))["value"] == 0
        said = await theirs.until("event")
        assert "lets you follow them" in said["html"]


async def test_who_was_away_is_shown_only_what_is_for_them(meet: Meet) -> None:
    ada = await private(meet)
    bob = await meet(ada)
    await lets_in(ada, bob)
    position = position_in(await bob.page("/"))
    await ada.post("while bob was away")
    await removes(ada, bob)
    said = await missed(bob, position, "home")
    assert "while bob was away" not in said
    assert '"author-' in said
