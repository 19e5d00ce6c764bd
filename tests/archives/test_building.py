"""A copy holds what is somebody's and nothing else, and is made once by whoever gets to it."""

from __future__ import annotations

import csv
import html
import io
import json
import posixpath
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select, update

from microblog.accounts import actions as accounts
from microblog.archives import actions, queries
from microblog.archives import builder as building
from microblog.archives.actions import Work
from microblog.archives.builder import Builder
from microblog.archives.model import FAILED, READY, WAITING, Archive, ArchivePart
from microblog.departures import actions as departures
from microblog.departures import erasure
from microblog.departures.model import Departure
from microblog.follows import actions as follows
from microblog.kernel import ids
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import NotFound
from microblog.mail.outbox import Email
from microblog.media import actions as pictures
from microblog.media import store
from microblog.notifications import actions as notifications
from microblog.notifications.consumer import make_consumer
from microblog.posts import bringing, privacy
from microblog.posts.bringing import OldPost
from microblog.posts.model import Post
from tests.posts.stage import Stage
from tests.signin.people import HASH, person


@pytest.fixture
async def builder(stage: Stage, tmp_path: Path) -> AsyncIterator[Builder]:
    folder = tmp_path / "making"
    folder.mkdir()
    yield Builder(stage.db, folder, "social.example")
    assert [path.name for path in folder.iterdir() if path.name != "media"] == []


async def asks(db: Database, account_id: int) -> int:
    async with db.writing() as session:
        return (await actions.ask(session, account_id)).id


async def content(db: Database, account_id: int, archive_id: int) -> ZipFile:
    parts, number = b"", 0
    async with db.reading() as session:
        made = await queries.ready(session, account_id, archive_id)
        while part := await queries.part(session, archive_id, number):
            parts, number = parts + part, number + 1
    assert made.size == len(parts)
    return ZipFile(io.BytesIO(parts))


async def state(db: Database, account_id: int) -> str | None:
    async with db.reading() as session:
        found = await queries.archive_of(session, account_id)
        return found.state if found else None


async def test_a_copy_holds_everything_of_theirs_and_nothing_of_others(
    stage: Stage, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    first = await stage.says(ada, "one <b>& only</b>")
    await stage.edits(ada, first.id, "one </p><script>alert(1)</script>")
    theirs = await stage.says(bob, "the words of bob, and @ada")
    answer = await stage.says(ada, "two", in_reply_to=theirs.id)
    third = await stage.says(ada, "three")
    gone = await stage.says(ada, "withdrawn")
    await stage.deletes(ada, gone.id)
    async with stage.db.writing() as session:
        await follows.follow(session, ada, bob)
        await follows.follow(session, bob, ada)
        await notifications.mute_mail(session, ada, "follow")
    await make_consumer(0.0).catch_up(stage.db)
    wanted = await asks(stage.db, ada)
    await builder.step()
    made = await content(stage.db, ada, wanted)
    assert made.testzip() is None
    told = json.loads(made.read("person.json"))
    assert told["profile"]["name"] == "ada"
    assert told["followers"] == 1
    assert told["settings"]["mail_not_wanted_about"] == ["follow"]
    said = json.loads(made.read("posts.json"))
    assert [one["id"] for one in said] == [str(one.id) for one in (first, answer, third)]
    assert said[0]["earlier"][0]["text"] == "one <b>& only</b>"
    assert (said[1]["in_reply_to"], said[1]["in_reply_to_name"]) == (str(theirs.id), "bob")
    rows = list(csv.DictReader(io.StringIO(made.read("following.csv").decode())))
    assert [row["Account address"] for row in rows] == ["bob@social.example"]
    news = json.loads(made.read("notifications.json"))
    assert {(one["kind"], one["by"]) for one in news} == {("mention", "bob"), ("follow", "bob")}
    rows = list(csv.DictReader(io.StringIO(made.read("followers.csv").decode())))
    assert [row["Account address"] for row in rows] == ["bob@social.example"]
    page = made.read(page_of(first)).decode()
    assert "&lt;script&gt;" in page
    assert "one &lt;b&gt;&amp; only&lt;/b&gt;" in page
    assert "<script" not in page
    everything = "".join(made.read(name).decode() for name in made.namelist())
    for secret in ("the words of bob", "withdrawn", HASH, "bob@example.org"):
        assert secret not in everything, secret


async def test_its_pages_can_be_read_from_the_first_to_the_last(
    stage: Stage, builder: Builder
) -> None:
    """Every link within it leads somewhere; threads of one's own are linked across months."""
    ada = await person(stage.db)
    async with stage.db.writing() as session:
        await accounts.edit_profile(
            session, ada, display_name="Ada <3", bio="see https://a.example/x", pronouns="she/her",
            location="Turin", links=[("home", "https://ada.example/?a=1&b=2")],
        )  # fmt: skip
        await accounts.edit_appearance(session, ada, {"language": "es"})
    old = await brings(stage, ada, "from long ago", datetime(2024, 12, 31, 12, tzinfo=UTC))
    await brings(stage, ada, "and soon after", datetime(2025, 1, 2, tzinfo=UTC), answering=old)
    new = await stage.says(ada, "now, see https://now.example")
    wanted = await asks(stage.db, ada)
    await builder.step()
    made = await content(stage.db, ada, wanted)
    pages = {name: made.read(name).decode() for name in made.namelist() if name.endswith(".html")}
    assert set(pages) == {
        "index.html", "people.html", "posts/2024-12.html", "posts/2025-01.html",
        page_of(new),
    }  # fmt: skip
    for name, page in pages.items():
        for url in re.findall(r'(?:href|src)="([^"]+)"', page):
            if not url.startswith("https://"):
                assert leads_within(name, html.unescape(url), made), (name, url)
    assert "Ada &lt;3" in pages["index.html"]
    assert 'href="https://ada.example/?a=1&amp;b=2"' in pages["index.html"]
    assert (
        f'<a href="2024-12.html#post-{old.id}"><bdi>@ada</bdi></a>' in pages["posts/2025-01.html"]
    )
    assert 'href="https://now.example"' in pages[page_of(new)]
    assert '<html lang="es">' in pages["index.html"]
    assert "diciembre" in pages["index.html"]


def page_of(post: Post) -> str:
    """Of its month, which may be over by now."""
    return f"posts/{ids.moment(post.id):%Y-%m}.html"


def leads_within(page: str, url: str, made: ZipFile) -> bool:
    path, _, anchor = url.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    return target in made.namelist() and (
        not anchor or f'id="{anchor}"' in made.read(target).decode()
    )


async def brings(stage: Stage, author_id: int, body: str, at: datetime, **more: object) -> Post:
    async with stage.db.writing() as session:
        old = OldPost(body, at)
        return await bringing.bring(session, author_id, old, since=now(), **more)


async def test_an_empty_account_has_a_copy(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    wanted = await asks(stage.db, ada)
    await builder.step()
    made = await content(stage.db, ada, wanted)
    assert json.loads(made.read("posts.json")) == []


async def test_its_first_page_names_every_file_for_programs(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    wanted = await asks(stage.db, ada)
    await builder.step()
    made = await content(stage.db, ada, wanted)
    page = made.read("index.html").decode()
    programs = {name for name in made.namelist() if name.endswith((".json", ".csv"))}
    assert set(re.findall(r"[a-z]+\.(?:json|csv)", page)) == programs


async def test_a_large_copy_lies_in_parts(
    stage: Stage, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "PART", 100)
    ada = await person(stage.db)
    wanted = await asks(stage.db, ada)
    await builder.step()
    await content(stage.db, ada, wanted)
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ArchivePart)) > 5


async def test_one_is_made_at_a_time_and_a_ready_one_replaced(
    stage: Stage, builder: Builder
) -> None:
    ada = await person(stage.db)
    first = await asks(stage.db, ada)
    assert await asks(stage.db, ada) == first
    await builder.step()
    assert await state(stage.db, ada) == READY
    second = await asks(stage.db, ada)
    assert second != first
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ArchivePart)) == 0
        with pytest.raises(NotFound):
            await queries.ready(session, ada, first)


async def test_nobody_gets_the_copy_of_somebody_else(stage: Stage, builder: Builder) -> None:
    ada, mallory = await person(stage.db), await person(stage.db, "mallory")
    wanted = await asks(stage.db, ada)
    await builder.step()
    async with stage.db.reading() as session:
        with pytest.raises(NotFound):
            await queries.ready(session, mallory, wanted)


async def leased(db: Database) -> Work | None:
    async with db.writing() as session:
        return await actions.lease(session)


async def lapse(db: Database) -> None:
    async with db.writing() as session:
        await session.execute(update(Archive).values(leased_until=now() - timedelta(seconds=1)))


async def test_who_lost_the_lease_changes_nothing(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    wanted = await asks(stage.db, ada)
    slow = await leased(stage.db)
    assert slow is not None
    assert await leased(stage.db) is None
    await builder.step()  # it is taken: nothing to do
    await lapse(stage.db)
    await builder.step()
    async with stage.db.writing() as session:
        assert not await actions.note(session, slow, 1)
        assert not await actions.add_part(session, slow, 99, b"stray")
        assert not await actions.finish(session, slow, 5)
    await content(stage.db, ada, wanted)


async def test_who_loses_it_in_the_middle_of_a_month_just_stops(
    stage: Stage, builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await person(stage.db)
    await stage.says(ada, "a post, once for programs and once for people")
    await asks(stage.db, ada)
    still_ours = iter([True, False])

    async def note(*_: object, **__: object) -> bool:
        return next(still_ours)

    monkeypatch.setattr(actions, "note", note)
    await builder.step()
    assert list(still_ours) == []
    assert await state(stage.db, ada) == WAITING


async def test_what_never_gets_done_is_given_up(stage: Stage) -> None:
    ada = await person(stage.db)
    await asks(stage.db, ada)
    for _ in range(actions.MOST_LEASES):
        assert await leased(stage.db) is not None
        await lapse(stage.db)
    assert await leased(stage.db) is None
    assert await state(stage.db, ada) == FAILED


async def test_after_a_day_it_is_gone(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    wanted = await asks(stage.db, ada)
    await builder.step()
    async with stage.db.writing() as session:
        await session.execute(update(Archive).values(expires_at=now() - timedelta(seconds=1)))
    assert await state(stage.db, ada) is None
    async with stage.db.writing() as session:
        with pytest.raises(NotFound):
            await queries.ready(session, ada, wanted)
        while await actions.forget_expired(session):
            pass
        assert await session.scalar(select(func.count()).select_from(ArchivePart)) == 0
        assert await session.scalar(select(func.count()).select_from(Archive)) == 0


async def test_its_owner_is_told_once(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    await asks(stage.db, ada)
    await builder.step()
    await builder.step()
    async with stage.db.reading() as session:
        assert list(await session.scalars(select(Email.kind))) == ["archive"]


async def test_it_goes_with_the_account(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    await asks(stage.db, ada)
    await builder.step()
    async with stage.db.writing() as session:
        await departures.leave(session, ada)
        await session.execute(update(Departure).values(due_at=now()))
    more = True
    while more:
        async with stage.db.writing() as session:
            more = await erasure.go_on(session, ada)
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ArchivePart)) == 0


async def test_pictures_are_in_it(stage: Stage, builder: Builder) -> None:
    ada = await person(stage.db)
    async with stage.db.writing() as session:
        await pictures.change(session, ada, "avatar", "0123456789abcdef" * 2, "")
        names = await pictures.shown_of(session, ada)
    where = store.folder(builder._folder)
    where.mkdir()
    for name in names[1:]:  # one was replaced a moment ago
        (where / name).write_bytes(b"a picture")
    wanted = await asks(stage.db, ada)
    await builder.step()
    made = await content(stage.db, ada, wanted)
    assert made.read(f"media/{names[1]}") == b"a picture"
    assert f"media/{names[0]}" not in made.namelist()


async def test_what_is_private_is_said_and_what_is_hidden_is_not(
    stage: Stage, builder: Builder
) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    asked = await stage.says(bob, "a question for @ada")
    await stage.says(ada, "an answer", in_reply_to=asked.id)
    await make_consumer(0.0).catch_up(stage.db)
    async with stage.db.writing() as session:
        await privacy.make_private(session, ada)
        await privacy.make_private(session, bob)
        await follows.follow(session, ada, bob)
    wanted = await asks(stage.db, ada)
    await builder.step()
    made = await content(stage.db, ada, wanted)
    told = json.loads(made.read("person.json"))
    assert told["settings"]["private"] is True
    assert told["asked_to_follow"] == ["bob"]
    (said,) = json.loads(made.read("posts.json"))
    assert said["in_reply_to_name"] is None
    assert json.loads(made.read("notifications.json")) == []
