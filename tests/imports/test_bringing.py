"""What was elsewhere is here: at its dates, in its threads, once, and without a word to anybody."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.archives import actions as archives
from microblog.archives import queries as copies
from microblog.archives.builder import Builder
from microblog.backlinks import queries as backlinks
from microblog.follows import queries as follows
from microblog.imports import actions, taking, worker
from microblog.imports.actions import Lost
from microblog.imports.archive import CopyFile
from microblog.imports.events import ImportMoved
from microblog.imports.model import DONE, FAILED, STOPPED, UNDONE, BroughtPost, Import, ImportPart
from microblog.kernel.clock import now
from microblog.kernel.errors import Conflict, Forbidden, NotFound
from microblog.mail.outbox import Email
from microblog.notifications.consumer import make_consumer
from microblog.notifications.model import MutedMail, Notification
from microblog.posts import bringing, privacy
from microblog.posts import queries as posts
from microblog.posts.events import PostDeleted, PostPublished
from microblog.posts.model import Mention
from microblog.timelines import queries as timelines
from tests.imports.conftest import ALL, HERE, Mover
from tests.imports.copies import THERE, YEARS_AGO, answer, copy, post
from tests.posts.stage import Stage


async def said_by(stage: Stage, account_id: int) -> list[str]:
    """As the profile shows it, the newest first."""
    async with stage.db.reading() as session:
        ids = await timelines.by_author(session, account_id, limit=100)
        found = await posts.views(session, ids)
        return [found[one].body for one in ids]


async def test_posts_keep_dates_threads_and_earlier_texts(stage: Stage, mover: Mover) -> None:
    edited = post(
        3, "three at last", edited_at="2021-03-05T00:00:00+00:00",
        earlier=[{"version": 1, "at": "2021-03-04T08:06:07+00:00", "text": "thre"}],
    )  # fmt: skip
    report = await mover.brings(copy([post(1), answer(2, 1, text="two #tag"), edited]))
    assert (report.state, report.counts) == (DONE, {"posts": 3, "left_out": 0})
    assert await said_by(stage, mover.account_id) == ["three at last", "two #tag", "number 1"]
    async with stage.db.reading() as session:
        three, two, one = await timelines.by_author(session, mover.account_id)
        views = await posts.views(session, [one, two, three])
        assert views[one].created_at == YEARS_AGO + timedelta(hours=1)
        assert (views[two].in_reply_to, views[two].root_id) == (one, one)
        assert views[one].reply_count == 1
        assert [each.body for each in await posts.versions(session, views[three])] == [
            "three at last", "thre",
        ]  # fmt: skip
        assert await timelines.conversation(session, one) == [one, two]
        assert await timelines.tagged(session, "tag") == [two]


async def test_nobody_is_told(stage: Stage, mover: Mover) -> None:
    bob = await stage.person("bob")
    await stage.follows(bob, mover.account_id)
    await mover.brings(copy([post(1, "to @bob"), post(2)]))
    told = [type(event) for event in await stage.log()]
    assert PostPublished not in told
    assert set(told[1:]) == {ImportMoved}
    await make_consumer(0.0).catch_up(stage.db)
    async with stage.db.reading() as session:
        mine = select(func.count()).select_from(Notification).where(Notification.account_id == bob)
        assert await session.scalar(mine) == 0
        assert await session.scalar(select(func.count()).select_from(Mention)) == 0
        assert await session.scalar(
            select(func.count()).select_from(Email).where(Email.kind != "follow")
        ) == 0  # fmt: skip


async def test_old_posts_stand_at_their_dates_and_never_on_top(stage: Stage, mover: Mover) -> None:
    """A home page shows what was said here first; who brings along what is of today is no
    exception."""
    bob = await stage.person("bob")
    await stage.follows(bob, mover.account_id)
    before = await stage.says(bob, "said here before")
    young = post(9, "of this minute", at=(now() - timedelta(minutes=1)).isoformat())
    await mover.brings(copy([post(1, "of years ago"), young]))
    after = await stage.says(mover.account_id, "said here after")
    async with stage.db.reading() as session:
        page = await timelines.home(session, bob)
        found = await posts.views(session, page)
    assert page[:2] == [after.id, before.id]
    assert [found[one].body for one in page[2:]] == ["of this minute", "of years ago"]
    assert found[page[2]].created_at > now() - timedelta(minutes=5)


async def test_two_copies_go_into_one_another_by_date(stage: Stage, mover: Mover) -> None:
    await mover.brings(copy([post(1), post(3)]))
    await mover.brings(copy([post(2), post(4)], host="elsewhere.example"))
    numbers = await said_by(stage, mover.account_id)
    assert numbers == ["number 4", "number 3", "number 2", "number 1"]


async def test_the_same_copy_twice_makes_nothing_double(stage: Stage, mover: Mover) -> None:
    file = copy([post(1), answer(2, 1), post(3)])
    await mover.brings(file)
    again = await mover.brings(file)
    assert again.counts == {"posts_before": 3, "left_out": 0}
    assert len(await said_by(stage, mover.account_id)) == 3


async def test_what_was_deleted_here_is_not_brought_back(stage: Stage, mover: Mover) -> None:
    await mover.brings(copy([post(1), post(2)]))
    async with stage.db.reading() as session:
        newest = (await timelines.by_author(session, mover.account_id))[0]
    await stage.deletes(mover.account_id, newest)
    again = await mover.brings(copy([post(1), post(2)]))
    assert again.counts == {"posts_before": 1, "left_out": 1}
    assert await mover.left_out(again.id) == [("2021-03-04 · number 2", taking.DELETED)]


async def test_answers_to_others_are_left_out_or_stand_alone(stage: Stage, mover: Mover) -> None:
    strange = answer(2, 77, in_reply_to_name="bob", text="I agree")
    file = copy([post(1), strange, answer(3, 2, text="and more")])
    report = await mover.brings(file)
    assert report.counts == {"posts": 1, "left_out": 2}
    assert {why for _, why in await mover.left_out(report.id)} == {taking.OTHERS}
    wanted = ("posts", "answers")
    assert (await mover.brings(file, wanted)).counts == {
        "posts": 2,
        "posts_before": 1,
        "left_out": 0,
    }
    async with stage.db.reading() as session:
        more, agree = (await timelines.by_author(session, mover.account_id))[:2]
        views = await posts.views(session, [more, agree])
        assert (views[agree].in_reply_to, views[more].in_reply_to) == (None, agree)
        origin = await session.get(BroughtPost, agree)
        assert origin is not None
        assert (origin.host, origin.answered) == (THERE, f"bob@{THERE}")


async def test_what_cannot_be_taken_is_named_with_the_reason(mover: Mover) -> None:
    report = await mover.brings(
        copy([
            post(1), "nonsense", post(2, "x" * 6000), post(3, " \u200b"),
            post(4, at=(now() + timedelta(days=1)).isoformat()), post(5, at="1969-01-01T00:00:00Z"),
        ])
    )  # fmt: skip
    assert report.counts == {"posts": 1, "left_out": 5}
    assert [why for _, why in await mover.left_out(report.id)] == [
        taking.UNREADABLE, taking.TOO_LONG, taking.WORDLESS, bringing.UNDATED, bringing.UNDATED,
    ]  # fmt: skip


def a_picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, "WEBP")
    return made.getvalue()


async def test_profile_settings_and_pictures_come_along(stage: Stage, mover: Mover) -> None:
    known, other = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    file = copy(
        profile={
            "display_name": "Ada", "bio": "hello", "pronouns": "x" * 99, "location": "",
            "links": [["home", "https://ada.example"]], "avatar": known, "avatar_alt": "a face",
            "header": other, "role": "administrator", "email": "x@example.org",
        },
        settings={"theme": "dark", "language": "xx", "mail_not_wanted_about": ["follow", "zzz"]},
        members={f"media/{known}-400.webp": a_picture(), f"media/{other}-1500.jpg": b"x"},
    )  # fmt: skip
    report = await mover.brings(file)
    assert report.counts == {"profile": 3, "settings": 2, "pictures": 1, "left_out": 4}
    assert {what for what, _ in await mover.left_out(report.id)} == {
        "x" * 99, "language: xx", "zzz", "header",
    }  # fmt: skip
    async with stage.db.reading() as session:
        mine = await people.account(session, mover.account_id)
        assert (mine.display_name, mine.bio, mine.pronouns) == ("Ada", "hello", "")
        assert mine.links == [["home", "https://ada.example"]]
        states = await backlinks.states_of(session, mover.account_id)
        assert [(one.url, one.state) for one in states] == [("https://ada.example", "waiting")]
        assert (mine.role, mine.email, mine.theme) == ("member", None, "dark")
        assert mine.avatar not in (None, known)
        assert mine.avatar_alt == "a face"
        assert await session.scalar(select(MutedMail.kind)) == "follow"


async def test_whom_one_follows(stage: Stage, mover: Mover) -> None:
    bob, eve = await stage.person("bob"), await stage.person("eve")
    file = copy(following=(f"bob@{HERE}", f"eve@{THERE}", "nobody"))
    report = await mover.brings(file, ("follows",))
    assert report.counts["followed"] == 1
    assert report.counts["left_out"] == 2
    async with stage.db.reading() as session:
        assert await follows.followed_ids(session, mover.account_id) == {bob}
    again = await mover.brings(file, ("follows", "same_names"))
    assert (again.counts["followed"], again.counts["followed_before"]) == (1, 1)
    async with stage.db.reading() as session:
        assert await follows.followed_ids(session, mover.account_id) == {bob, eve}


async def test_what_was_for_followers_only_stays_so(stage: Stage, mover: Mover) -> None:
    bob = await stage.person("bob")
    async with stage.db.writing() as session:
        await privacy.make_private(session, bob)
    file = copy([post(1)], settings={"private": True}, asked_to_follow=["bob"])
    report = await mover.brings(file, (*ALL, "same_names"))
    assert report.counts == {"settings": 1, "asked": 1, "posts": 1, "left_out": 0}
    async with stage.db.reading() as session:
        assert (await people.account(session, mover.account_id)).private_at is not None


async def test_only_what_is_chosen_is_taken(stage: Stage, mover: Mover) -> None:
    file = copy([post(1)], profile={"bio": "hello"}, settings={"theme": "dark"})
    report = await mover.brings(file, ("settings",))
    assert report.counts == {"settings": 1, "left_out": 0}
    assert await said_by(stage, mover.account_id) == []
    with pytest.raises(Conflict):
        await mover.begins(await mover.offers(file), ("same_names",))


async def test_a_long_list_of_people_goes_bite_by_bite(stage: Stage, mover: Mover) -> None:
    await stage.person("bob")
    people_ = [f"p{n}@{THERE}" for n in range(500)] + ["bob"]
    async with stage.db.writing() as session:
        begun = await actions.begin_list(session, mover.account_id, people_)
    await mover.importer.step()
    report = await mover.report(begun.id)
    assert (report.state, report.done, report.total) == (DONE, 501, 501)
    assert report.counts == {"followed": 1, "left_out": 500}


# -- whatever happens in between ---------------------------------------------------------------


async def test_a_worker_that_dies_is_followed_by_one_that_goes_on(
    stage: Stage, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a bite, again and again: nothing is lost, nothing is double."""
    monkeypatch.setattr(worker, "BITE", 3)
    import_id = await mover.offers(copy([post(n) for n in range(20)]))
    await mover.begins(import_id)
    taken, deaths = taking.Posts.take, 0

    async def dies(self: taking.Posts, *given: object) -> None:
        nonlocal deaths
        await taken(self, *given)  # type: ignore[arg-type]
        deaths += 1
        if deaths % 2 == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(taking.Posts, "take", dies)
    while (await mover.report(import_id)).state != DONE:
        try:
            await mover.importer.step()
        except KeyboardInterrupt:
            await mover.lapse()
    assert deaths > 5
    assert await said_by(stage, mover.account_id) == [f"number {n}" for n in reversed(range(20))]
    assert (await mover.report(import_id)).counts == {"posts": 20, "left_out": 0}


async def test_who_lost_the_lease_changes_nothing(stage: Stage, mover: Mover) -> None:
    await mover.begins(await mover.offers(copy([post(1)])))
    async with stage.db.writing() as session:
        slow = await actions.lease(session)
        assert slow is not None
        assert await actions.lease(session) is None
    await mover.lapse()
    await mover.importer.step()
    async with stage.db.writing() as session:
        with pytest.raises(Lost):
            await actions.held(session, slow)


async def test_what_never_gets_on_is_given_up(stage: Stage, mover: Mover) -> None:
    import_id = await mover.offers(copy([post(1)]))
    await mover.begins(import_id)
    for _ in range(actions.MOST_TRIES):
        async with stage.db.writing() as session:
            assert await actions.lease(session) is not None
        await mover.lapse()
    async with stage.db.writing() as session:
        assert await actions.lease(session) is None
    report = await mover.report(import_id)
    assert (report.state, report.reason) == (FAILED, actions.STUCK)


async def test_one_at_a_time_and_a_new_offer_replaces_the_old(mover: Mover) -> None:
    first = await mover.offers(copy([post(1)]))
    second = await mover.offers(copy([post(2)]))
    with pytest.raises(NotFound):
        await mover.report(first)
    await mover.begins(second)
    with pytest.raises(Conflict):
        await mover.offers(copy([post(3)]))


async def test_nobody_sees_the_import_of_somebody_else(stage: Stage, mover: Mover) -> None:
    mine = await mover.offers(copy([post(1)]))
    mallory = Mover(mover.db, mover.importer, await stage.person("mallory"))
    for act in (mallory.report, mallory.begins, mallory.undoes):
        with pytest.raises(NotFound):
            await act(mine)


@pytest.mark.parametrize("limit", ["silenced_at", "suspended_at"])
async def test_limited_people_bring_nothing(stage: Stage, mover: Mover, limit: str) -> None:
    """Not even what was begun before."""
    import_id = await mover.offers(copy([post(1)]))
    await mover.begins(import_id)
    async with stage.db.writing() as session:
        await session.execute(update(Account).values({limit: now()}))
    with pytest.raises(Forbidden):
        await mover.offers(copy([post(1)]))
    await mover.importer.step()
    report = await mover.report(import_id)
    assert (report.state, report.reason, report.counts) == (FAILED, actions.SILENCED, {})


async def test_stopping_keeps_what_was_taken(stage: Stage, mover: Mover) -> None:
    import_id = await mover.offers(copy([post(1)]))
    await mover.begins(import_id)
    async with stage.db.writing() as session:
        slow = await actions.lease(session)
        await actions.stop(session, mover.account_id, import_id)
        assert slow is not None
        with pytest.raises(Lost):
            await actions.held(session, slow)
    assert (await mover.report(import_id)).state == STOPPED
    await sweeps(stage)
    async with stage.db.reading() as session:  # what it was made from goes before its report
        assert await session.scalar(select(func.count()).select_from(ImportPart)) == 0
    assert (await mover.report(import_id)).state == STOPPED


async def test_undoing_deletes_the_posts_that_came(stage: Stage, mover: Mover) -> None:
    kept = await stage.says(mover.account_id, "written here")
    report = await mover.brings(copy([post(1), answer(2, 1), post(3)]))
    undone = await mover.undoes(report.id)
    assert (undone.state, undone.counts["undone"]) == (UNDONE, 3)
    assert await said_by(stage, mover.account_id) == [kept.body]
    assert sum(isinstance(one, PostDeleted) for one in await stage.log()) == 3
    again = await mover.brings(copy([post(1), answer(2, 1), post(3)]))
    assert again.counts == {"posts": 3, "left_out": 0}


async def sweeps(stage: Stage) -> None:
    more = True
    while more:
        async with stage.db.writing() as session:
            more = await actions.forget_expired(session)


async def test_reports_are_kept_for_a_while_and_origins_for_ever(
    stage: Stage, mover: Mover
) -> None:
    report = await mover.brings(copy([post(1), "nonsense"]))
    assert report.expires_at is not None
    assert report.expires_at > now() + timedelta(days=29)
    async with stage.db.writing() as session:
        await session.execute(update(Import).values(expires_at=now()))
    with pytest.raises(NotFound):
        await mover.report(report.id)
    await sweeps(stage)
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Import)) == 0
        assert await session.scalar(select(func.count()).select_from(ImportPart)) == 0
    assert (await mover.brings(copy([post(1)]))).counts == {"posts_before": 1, "left_out": 0}


# -- there and back again ----------------------------------------------------------------------


async def copied(stage: Stage, mover: Mover, host: str) -> io.BytesIO:
    async with stage.db.writing() as session:
        wanted = (await archives.ask(session, mover.account_id)).id
    await Builder(stage.db, mover.importer._folder, host).step()
    made, number = io.BytesIO(), 0
    async with stage.db.reading() as session:
        while part := await copies.part(session, wanted, number):
            made.write(part)
            number += 1
    return made


async def test_what_was_brought_and_copied_comes_home_once(stage: Stage, mover: Mover) -> None:
    """Written there, brought here, copied here, brought there: it is the same post."""
    await mover.brings(copy([post(1), answer(2, 1)]))
    await stage.says(mover.account_id, "said here")
    async with stage.db.reading() as session:
        brought = (await timelines.by_author(session, mover.account_id))[-1]
    await stage.says(mover.account_id, "said here, too", in_reply_to=brought)
    file = await copied(stage, mover, HERE)
    assert CopyFile(file).host == HERE
    home = Mover(mover.db, worker.Importer(stage.db, mover.importer._folder, {THERE}),
                 await stage.person("ada_there"))  # fmt: skip
    await home.brings(copy([post(1), answer(2, 1)]))  # as if they had been written there
    report = await home.brings(file)
    assert report.counts["posts_before"] == 2
    assert report.counts["posts"] == 2
    assert await said_by(stage, home.account_id) == [
        "said here, too", "said here", "number 2", "number 1",
    ]  # fmt: skip
    async with stage.db.reading() as session:
        theirs = await timelines.by_author(session, home.account_id)
        views = (await posts.views(session, theirs)).values()
        too = next(one for one in views if one.body == "said here, too")
        first = next(one for one in views if one.body == "number 1")
        assert (too.in_reply_to, too.root_id) == (first.id, first.id)
    again = await mover.brings(file)  # where all of it is
    assert again.counts["posts_before"] == 4


async def test_a_copy_holds_what_another_copy_held(stage: Stage, mover: Mover) -> None:
    await mover.brings(copy([post(n, f"about #{n} things") for n in range(30)]))
    with ZipFile(await copied(stage, mover, HERE)) as file:
        assert file.testzip() is None
    found = list(CopyFile(await copied(stage, mover, HERE)).posts())
    assert [one["origin"]["id"] for one in found if one] == [str(1000 + n) for n in range(30)]
    assert found[0] is not None
    assert datetime.fromisoformat(found[0]["at"]) == YEARS_AGO.astimezone(UTC)
