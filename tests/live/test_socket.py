"""The live socket against a real server: what arrives, in which order, and how it ends."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live.conftest import Meet
from tests.person import PASSWORD, Person, position_in
from tests.process import SiteProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")


@asynccontextmanager
async def watching(person: Person, **options: Any) -> AsyncIterator[Screen]:
    async with person.socket(**options) as socket:
        screen = Screen(socket)
        await screen.until("caught_up")
        yield screen


class Screen:
    """An open page: what it was told since it had caught up."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.said: list[dict[str, Any]] = []

    async def next(self, within: float = 10.0) -> dict[str, Any]:
        async with asyncio.timeout(within):
            said = json.loads(await self.socket.recv())
        self.said.append(said)
        return said

    async def until(self, kind: str) -> dict[str, Any]:
        while (said := await self.next())["type"] != kind:
            pass
        return said

    async def event(self) -> tuple[str, str]:
        said = await self.until("event")
        return said["action"], said["element"]

    async def stays_quiet(self, seconds: float = 0.4) -> bool:
        try:
            while (await self.next(seconds))["type"] == "tick":
                pass
        except TimeoutError:
            return True
        return False

    async def closed_with(self, within: float = 10.0) -> int:
        async with asyncio.timeout(within):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006


async def test_a_post_its_edit_and_its_deletion_reach_a_follower_in_order(meet: Meet) -> None:
    david = await meet()
    susan = await meet(david)
    async with watching(susan) as screen:
        post = await david.post("one & <b>only</b>")
        said = await screen.until("event")
        assert (said["action"], said["element"], said["target"]) == (
            "insert",
            f"post-{post}",
            "timeline",
        )
        assert "one &amp; &lt;b&gt;only&lt;/b&gt;" in said["html"]
        await david.edit(post, "two")
        said = await screen.until("event")
        assert (said["action"], said["element"]) == ("replace", f"post-{post}")
        assert "two" in said["html"]
        await david.delete(post)
        said = await screen.until("event")
        assert (said["action"], said["element"]) == ("remove", f"post-{post}")
        assert "html" not in said
    ids = [one["id"] for one in screen.said if one["type"] == "event"]
    assert ids == sorted(set(ids))


async def test_a_stranger_sees_it_on_the_public_page_and_not_at_home(meet: Meet) -> None:
    david, kevin = await meet(), await meet()
    visitor = Person(david.url, "visitor")
    async with watching(kevin) as home, watching(visitor, stream="public") as public:
        post = await david.post("for everyone")
        assert await public.event() == ("insert", f"post-{post}")
        assert await home.stays_quiet()


async def test_ones_own_post_arrives_in_the_other_window(meet: Meet) -> None:
    david = await meet()
    async with watching(david) as screen:
        post = await david.post("from my phone")
        assert await screen.event() == ("insert", f"post-{post}")


async def test_profiles_threads_and_tags_have_streams_of_their_own(
    meet: Meet, site: SiteProcess
) -> None:
    david, susan = await meet(), await meet()
    first = await david.post("a question about #bees")
    account = (await susan.page(f"/@{david.name}")).split('data-stream="')[1].split('"')[0]
    async with (
        watching(susan, stream=account) as profile,
        watching(susan, stream=f"thread:{first}") as thread,
        watching(susan, stream="tag:bees") as tag,
    ):
        answer = await susan.reply(first, "an answer, without the tag")
        assert await thread.event() == ("insert", f"post-{answer}")
        tagged = await david.post("more #Bees")
        assert await profile.event() == ("insert", f"post-{tagged}")
        assert await tag.event() == ("insert", f"post-{tagged}")
        await david.delete(tagged)
        assert await tag.event() == ("remove", f"post-{tagged}")
        assert await profile.event() == ("remove", f"post-{tagged}")
        assert await thread.stays_quiet(0.2)


async def test_an_edit_brings_a_post_to_a_tag_page_and_takes_it_away(meet: Meet) -> None:
    david, susan = await meet(), await meet()
    before = position_in(await susan.page("/tags/wasps"))
    async with (
        watching(susan, stream="tag:wasps") as wasps,
        watching(susan, stream="tag:moths") as moths,
        watching(david) as home,
    ):
        post = await david.post("one of #wasps")
        assert await wasps.event() == ("insert", f"post-{post}")
        await david.edit(post, "two of #wasps and #moths")
        assert await wasps.event() == ("replace", f"post-{post}")
        said = await moths.until("event")
        assert (said["action"], said["element"]) == ("insert", f"post-{post}")
        assert "two of" in said["html"]
        await david.edit(post, "three of #moths")
        said = await wasps.until("event")
        assert (said["action"], said["element"]) == ("remove", f"post-{post}")
        assert said["words"] == "This post is not on this page any more"
        assert "html" not in said
        assert await moths.event() == ("replace", f"post-{post}")
        assert await wasps.stays_quiet(0.1)
        acts = [await home.event() for _ in range(3)]
        assert acts == [(act, f"post-{post}") for act in ("insert", "replace", "replace")]
    for tag, acts in (("moths", ["insert", "replace"]), ("wasps", ["remove"])):
        async with susan.socket(since=before, stream=f"tag:{tag}") as socket:
            screen = Screen(socket)
            await screen.until("caught_up")
        missed = [one["action"] for one in screen.said if one["type"] == "event"]
        assert missed == acts, tag


async def test_nothing_falls_between_the_page_and_its_socket(meet: Meet) -> None:
    david = await meet()
    susan = await meet(david)
    position = position_in(await susan.page("/"))
    missed = [await david.post(f"while the page loads {n}") for n in range(3)]
    async with susan.socket(since=position) as socket:
        screen = Screen(socket)
        await screen.until("caught_up")
        shown = [one["element"] for one in screen.said if one["type"] == "event"]
        assert shown == [f"post-{post}" for post in missed]
        assert screen.said[0]["type"] == "hello"
        assert screen.said[0]["position"] == position


async def test_a_deleted_post_is_not_shown_to_somebody_who_was_away(meet: Meet) -> None:
    david = await meet()
    susan = await meet(david)
    position = position_in(await susan.page("/"))
    post = await david.post("a secret said too loud")
    await david.delete(post)
    async with susan.socket(since=position) as socket:
        screen = Screen(socket)
        await screen.until("caught_up")
    assert "secret" not in json.dumps(screen.said)


async def test_follows_and_unfollows_take_effect_on_the_open_page(meet: Meet) -> None:
    david, susan = await meet(), await meet()
    async with watching(susan) as screen:
        await david.post("before")
        await susan.follow(david.name)
        post = await david.post("after")
        assert await screen.event() == ("insert", f"post-{post}")
        await susan.unfollow(david.name)
        await david.post("no more")
        assert await screen.stays_quiet()
        await david.delete(post)  # the open page still shows this one
        assert await screen.event() == ("remove", f"post-{post}")


async def test_a_mention_shows_as_a_notification_and_in_the_count(meet: Meet) -> None:
    david, susan = await meet(), await meet()
    async with watching(susan, stream="none") as screen:
        await david.post(f"hello @{susan.name}")
        count = await screen.until("count")
        assert (count["name"], count["value"]) == ("unread_notifications", 1)
        said = await screen.until("event")
        assert said["target"] == "notifications"
        assert said["element"].startswith("notification-")
        assert david.name in said["html"]
        await screen.socket.send(json.dumps({"type": "seen", "elements": [said["element"]]}))
        assert (await screen.until("count"))["value"] == 0


async def test_a_page_can_ask_why_it_was_refused(meet: Meet, site: SiteProcess) -> None:
    david = await meet()
    async with Person(site.url, "visitor") as visitor:
        for person, stream, status in (
            (david, "home", 204), (visitor, "home", 401), (visitor, "public", 204),
            (visitor, "thread:1", 404), (visitor, "nonsense", 400),
        ):  # fmt: skip
            answer = await person.http.get("/live", params={"stream": stream})
            assert (answer.status_code, answer.content) == (status, b""), stream
            if status != 204:
                assert await refused(person, stream=stream) == status


# -- mail knows what was seen ----------------------------------------------------------------


async def mailed_to(person: Person) -> list[str]:
    answer = await person.http.get("/dev/mail", headers={"Accept": "application/json"})
    mine = [
        m for m in answer.json() if m["to"] == f"{person.name}@example.org" and m["state"] == "sent"
    ]
    return [m["subject"] for m in mine]


async def test_what_was_seen_on_screen_is_not_mailed_and_what_was_not_is(meet: Meet) -> None:
    david = await meet()
    susan, kevin = await meet(david), await meet(david)
    async with watching(susan) as screen:
        post = await david.post(f"look @{susan.name} and @{kevin.name}")
        await screen.until("event")
        seen = {"type": "seen", "elements": [f"post-{post}"]}
        await screen.socket.send(json.dumps(seen))
        for _ in range(150):
            if await mailed_to(kevin):
                break
            await asyncio.sleep(0.1)
    assert len(await mailed_to(kevin)) == 1
    assert await mailed_to(susan) == []


# -- positions of another history -------------------------------------------------------------


@pytest.mark.parametrize(
    "since", ["ffffffff.1", "nonsense", "1", "ffffffff.99999999999999999999", "."]
)
async def test_a_position_of_another_history_gets_a_reset(meet: Meet, since: str) -> None:
    susan = await meet()
    async with susan.socket(since=since) as socket:
        screen = Screen(socket)
        await screen.until("caught_up")
    kinds = [one["type"] for one in screen.said]
    assert kinds.count("reset") == 1
    assert "event" not in kinds


async def test_a_position_from_the_future_gets_a_reset(meet: Meet) -> None:
    susan = await meet()
    epoch = position_in(await susan.page("/")).split(".")[0]
    async with susan.socket(since=f"{epoch}.{10**15}") as socket:
        screen = Screen(socket)
        await screen.until("reset")


# -- who is let in -----------------------------------------------------------------------------


async def refused(person: Person, **options: Any) -> int:
    with pytest.raises(InvalidStatus) as error:
        async with person.socket(**options):
            pass
    return error.value.response.status_code


async def test_home_needs_somebody_who_is_signed_in(site: SiteProcess) -> None:
    assert await refused(Person(site.url, "nobody")) == 401


async def test_a_foreign_origin_is_refused(meet: Meet) -> None:
    susan = await meet()
    for origin in ("https://evil.example", "null", susan.url + ".evil.example", "http://127.0.0.1"):
        assert await refused(susan, origin=origin) == 403
    assert await refused(susan, origin=None) == 403  # a cookie without an origin
    assert await refused(Person(susan.url, "x"), stream="public", origin="null") == 403


async def test_odd_handshakes_are_refused(meet: Meet) -> None:
    susan = await meet()
    assert await refused(susan, stream="thread:1") == 404
    for stream in (
        "everything",
        "account:abc",
        "thread:-1",
        "account:99999999999999999999",
        "home:1",
    ):
        assert await refused(susan, stream=stream) == 400
    cookie = susan.cookies()[:-4]
    headers = {"Cookie": cookie}
    assert await refused(susan, additional_headers=headers) == 401


async def test_signing_out_closes_the_page_and_no_other_device(meet: Meet) -> None:
    susan = await meet()
    async with Person(susan.url, susan.name) as phone:
        assert (await phone.sign_in(remember="on", password=PASSWORD)).status_code == 303
        async with watching(susan) as desk, watching(phone) as pocket:
            began = time.monotonic()
            assert (await susan.submit("/logout")).status_code == 303
            assert await desk.closed_with() == 4001
            assert time.monotonic() - began < 5 * 2  # on a busy machine
            await phone.post("still here")
            assert (await pocket.event())[0] == "insert"


# -- hostile and broken pages -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{", 1008),
        ("[]", 1008),
        ('"seen"', 1008),
        ('{"type":"publish"}', 1008),
        ('{"type":"seen","elements":"post-1"}', 1008),
        ('{"type":"seen","elements":["post-1; drop"]}', 1008),
        ('{"type":"seen","elements":[1]}', 1008),
        ('{"type":"seen","elements":["\\ud800"]}', 1008),
        (json.dumps({"type": "seen", "elements": ["post-1"] * 51}), 1008),
        ("[" * 4000, 1008),
        (b"\x00\x01", 1008),
        ("x" * 5000, 1009),
        ("é" * 3000, 1009),
        ("x" * 1_000_000, 1009),
    ],
)
async def test_garbage_closes_the_socket(meet: Meet, said: str | bytes, code: int) -> None:
    susan = await meet()
    async with watching(susan) as screen:
        with suppress(ConnectionClosed):
            await screen.socket.send(said)
        assert await screen.closed_with() in (code, 1006 if len(said) > 4096 else code)


async def test_a_flood_closes_the_socket(meet: Meet) -> None:
    susan = await meet()
    async with watching(susan) as screen:
        for _ in range(60):
            try:
                await screen.socket.send('{"type":"seen","elements":[]}')
            except ConnectionClosed:
                break
        assert await screen.closed_with() == 1008
