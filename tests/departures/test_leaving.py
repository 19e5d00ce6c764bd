"""Leaving hides at once, and can be taken back for seven days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from microblog.accounts import actions as accounts
from microblog.accounts import queries as people
from microblog.accounts.events import AccountHidden
from microblog.accounts.model import Account, KeptName
from microblog.departures import actions, erasure, queries
from microblog.departures.model import Departure
from microblog.follows import actions as follows
from microblog.follows.model import FollowRequest
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Conflict, NotFound
from microblog.kernel.model import Base
from microblog.mail import outbox
from microblog.mail.outbox import Email
from microblog.moderation import actions as moderating
from microblog.moderation import queries as moderation
from microblog.moderation.model import Appeal, Entry
from microblog.notifications import actions as notifications
from microblog.notifications import queries as notices
from microblog.notifications.consumer import make_consumer
from microblog.posts import privacy
from microblog.posts import queries as posts
from microblog.posts.model import Post, Revision
from microblog.signin import actions as signin
from microblog.signin import email_changes, resets
from microblog.signin.events import LoginSessionEnded
from microblog.signin.model import EmailUndo
from microblog.timelines import queries as timelines
from tests.posts.stage import Stage
from tests.signin.people import behind, happened, person, signed_in


async def leaves(db: Database, account_id: int) -> None:
    async with db.writing() as session:
        await actions.leave(session, account_id)


async def link_of(db: Database, account_id: int) -> str:
    async with db.writing() as session:
        token = await actions.way_back(session, account_id)
    assert token is not None
    return token


async def seven_days_later(db: Database) -> None:
    async with db.writing() as session:
        await session.execute(update(Departure).values(due_at=now() - timedelta(seconds=1)))


async def takes_away(db: Database, account_id: int) -> int:
    """As the loop does; how many bites it took."""
    bites = 1
    while True:
        async with db.writing() as session:
            if not await erasure.go_on(session, account_id):
                return bites
        bites += 1


async def is_shown(db: Database, name: str) -> bool:
    async with db.reading() as session:
        try:
            await people.by_name(session, name)
        except NotFound:
            return False
    return True


async def test_who_leaves_is_hidden_and_signed_out_at_once(stage: Stage) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    token = await signed_in(stage.db, ada)
    post = await stage.says(ada, "the words of ada")
    answer = await stage.says(bob, "what bob answers", in_reply_to=post.id)
    await leaves(stage.db, ada)
    assert not await is_shown(stage.db, "ada")
    assert await behind(stage.db, token) is None
    async with stage.db.reading() as session:
        assert list(await posts.views(session, [post.id, answer.id])) == [answer.id]
        assert (await posts.view(session, answer.id)).reply_to_name is None
        assert await people.cards(session, [ada]) == {}
        assert [card.id for card in await people.suggestions(session, None, set(), 5)] == [bob]
    told = await happened(stage.db)
    assert AccountHidden(ada) in told
    assert any(isinstance(one, LoginSessionEnded) for one in told)


async def test_leaving_twice_is_leaving_once(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    await leaves(stage.db, ada)
    await leaves(stage.db, ada)
    assert (await happened(stage.db)).count(AccountHidden(ada)) == 1
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Email)) == 1


async def test_the_last_administrator_stays(stage: Stage) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    async with stage.db.writing() as session:
        await accounts.promote(session, ada)
    with pytest.raises(Conflict) as refused:
        await leaves(stage.db, ada)
    assert refused.value.message == actions.LAST
    assert await is_shown(stage.db, "ada")
    async with stage.db.writing() as session:
        await accounts.promote(session, bob)
    await leaves(stage.db, ada)
    assert not await is_shown(stage.db, "ada")


async def test_a_link_brings_everything_back_once(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    post = await stage.says(ada, "still here")
    await leaves(stage.db, ada)
    first, second = await link_of(stage.db, ada), await link_of(stage.db, ada)
    async with stage.db.writing() as session:
        await actions.come_back(session, first)
    assert await is_shown(stage.db, "ada")
    assert (await stage.view(post.id)).body == "still here"
    for used in (first, second, "nonsense"):
        async with stage.db.writing() as session:
            with pytest.raises(NotFound):
                await actions.come_back(session, used)
    assert await takes_away(stage.db, ada) == 1
    assert (await stage.view(post.id)).body == "still here"


async def test_after_seven_days_there_is_no_way_back(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    await leaves(stage.db, ada)
    token = await link_of(stage.db, ada)
    await seven_days_later(stage.db)
    async with stage.db.writing() as session:
        assert await queries.undone_by(session, token) is None
        assert await actions.way_back(session, ada) is None
        with pytest.raises(NotFound):
            await actions.come_back(session, token)


async def test_coming_back_lifts_no_suspension(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    await leaves(stage.db, ada)
    async with stage.db.writing() as session:
        (await session.get_one(Account, ada)).suspended_at = now()  # a moderator, meanwhile
    token = await link_of(stage.db, ada)
    async with stage.db.writing() as session:
        await actions.come_back(session, token)
    assert not await is_shown(stage.db, "ada")


async def test_nothing_goes_before_its_time(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    post = await stage.says(ada, "not yet")
    await leaves(stage.db, ada)
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        assert (await session.get_one(Post, post.id)).body == "not yet"
        assert (await session.get_one(Account, ada)).email == "ada@example.org"


async def test_others_are_untold_at_once(stage: Stage) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    await stage.says(ada, "hello @bob")
    consumer = make_consumer(0.0)
    await consumer.catch_up(stage.db)
    await leaves(stage.db, ada)
    async with stage.db.reading() as session:
        assert await queries.unfinished(session) == [ada]
        assert await notices.page(session, bob) == []
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        assert await notices.unread(session, bob) == 0
        assert await queries.unfinished(session) == []


async def fill(stage: Stage, ada: int, bob: int) -> tuple[int, int, int]:
    """Something of Ada in every table: an answered post, an answer of hers, and Bob's post."""
    first = await stage.says(ada, "the secret of ada #secret @bob")
    await stage.edits(ada, first.id, "another secret of ada #secret @bob")
    await stage.says(bob, "an answer for @ada", in_reply_to=first.id)
    theirs = await stage.says(bob, "bob begins")
    hers = await stage.says(ada, "she answers secretly", in_reply_to=theirs.id)
    await stage.says(ada, "and goes on, secretly", in_reply_to=hers.id)
    async with stage.db.writing() as session:
        await follows.follow(session, ada, bob)
        await follows.follow(session, bob, ada)
        await notifications.mute_mail(session, ada, "follow")
        await resets.issue_link(session, ada)
        await outbox.enqueue(session, "password_changed", {"account_id": ada})
    await make_consumer(0.0).catch_up(stage.db)
    await signed_in(stage.db, ada)
    async with stage.db.writing() as session:
        await session.execute(
            update(Email).where(Email.bundle.is_(None)).values(recipient="ada@example.org")
        )
    return first.id, theirs.id, hers.id


async def test_after_seven_days_everything_goes(stage: Stage) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    first, theirs, hers = await fill(stage, ada, bob)
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    assert await takes_away(stage.db, ada) > 3
    async with stage.db.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name == "kept_names":
                continue
            for row in await session.execute(select(table)):
                said = " ".join(str(value) for value in row).lower()
                assert "secret" not in said, table.name
                assert "ada@" not in said, table.name
        kept = await session.get_one(Post, first)  # it was answered
        assert (kept.body, kept.reply_count) == ("", 1)
        assert kept.deleted_at is not None
        assert await session.get(Post, hers) is None
        assert (await session.get_one(Post, theirs)).reply_count == 0
        assert await session.scalar(select(func.count()).select_from(Revision)) == 0
        account = await session.get_one(Account, ada)
        assert (account.name, account.email, account.display_name) == ("", None, "")
        assert await timelines.by_author(session, ada) == []
        assert await session.get(Departure, ada) is None
    assert await takes_away(stage.db, ada) == 1


async def test_moderators_are_shown_nobody_who_is_gone(stage: Stage) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        assert [one.id for one in await moderation.people(session)] == [bob]
        assert (await moderation.totals(session)).people == 1


async def test_the_log_of_moderators_keeps_no_words_of_whom_is_gone(stage: Stage) -> None:
    ada, mo = await person(stage.db, "byron"), await person(stage.db, "mo")
    post = await stage.says(ada, "a rude secret")
    async with stage.db.writing() as session:
        (await session.get_one(Account, mo)).role = "moderator"
        await accounts.rename(session, ada, "ada")
    reason = "Ada (@ada, once @byron) is rude; adamant."
    async with stage.db.writing() as session:
        await moderating.delete_post(session, mo, post.id, reason=reason)
    async with stage.db.writing() as session:
        (entry_id,) = await session.scalars(select(Entry.id))
        session.add(Appeal(entry_id=entry_id, words="no secret at all", at=now()))
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        (entry,) = await moderation.entries(session)
        assert (entry.act, entry.reason, entry.before) == (
            "delete_post", "… (…, once …) is rude; adamant.", {},
        )  # fmt: skip
        assert list(await session.scalars(select(Appeal.words))) == [""]


async def test_many_posts_go_in_bites(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "BITE", 3)
    ada, last = await person(stage.db, "ada"), None
    for n in range(10):
        last = (await stage.says(ada, f"post {n}", in_reply_to=last)).id
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    assert await takes_away(stage.db, ada) > 10
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == 0


async def test_nobody_gets_the_name_for_a_year(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    await takes_away(stage.db, ada)
    with pytest.raises(Conflict) as refused:
        await person(stage.db, "Ada")
    assert refused.value.field == "username"
    async with stage.db.writing() as session:
        kept = Base.metadata.tables["kept_names"]
        await session.execute(update(kept).values(until=now() - timedelta(days=1)))
    assert await person(stage.db, "Ada") != ada


async def test_a_name_that_somebody_had_says_no_more_whose_it_was(stage: Stage) -> None:
    ada = await person(stage.db, "byron")
    async with stage.db.writing() as session:
        await accounts.rename(session, ada, "ada")
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        kept = await session.execute(select(KeptName.name_key, KeptName.account_id))
        assert sorted(tuple(row) for row in kept) == [("ada", None), ("byron", None)]
    for name in ("ada", "byron"):
        with pytest.raises(Conflict):
            await person(stage.db, name)


async def test_a_mail_on_its_way_is_waited_for(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    async with stage.db.writing() as session:
        leased = {"state": "leased", "recipient": "ada@example.org"}
        await session.execute(update(Email).values(**leased))
    await takes_away(stage.db, ada)
    async with stage.db.writing() as session:
        assert (await session.get_one(Account, ada)).email == "ada@example.org"
        await session.execute(update(Email).values(state="sent"))
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        assert (await session.get_one(Account, ada)).email is None


async def test_mail_to_addresses_of_before_goes_too(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    async with stage.db.writing() as session:
        await email_changes.change_at_once(session, ada, 0, "ada@new.example")
        for recipient in ("ada@example.org", "bob@example.org"):
            await outbox.enqueue(session, "two_factor", {"account_id": ada})
            new = update(Email).where(Email.recipient.is_(None))
            await session.execute(new.values(recipient=recipient, state="sent"))
        month_ago = now() - timedelta(days=29)
        await session.execute(update(EmailUndo).values(expires_at=month_ago))
    async with stage.db.writing() as session:
        await signin.forget_expired(session)
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        kept = await session.scalars(select(Email.recipient).where(Email.state == "sent"))
        assert list(kept) == ["bob@example.org"]
        assert await session.scalar(select(EmailUndo.id)) is None


def test_every_table_that_names_an_account_or_a_post_is_thought_of() -> None:
    for target, fates in (("accounts", erasure.OF_ACCOUNTS), ("posts", erasure.OF_POSTS)):
        naming = {
            f"{table.name}.{column.name}"
            for table in Base.metadata.sorted_tables
            for column in table.columns
            if any(key.column.table.name == target for key in column.foreign_keys)
        }
        assert naming - set(fates) == set()
        assert set(fates.values()) <= {erasure.GOES, erasure.STAYS, erasure.EMPTIED}


def test_every_column_of_an_account_can_be_emptied() -> None:
    for column in Account.__table__.columns:
        if not column.nullable and column.name not in erasure._KEPT_OF_ACCOUNT:
            assert column.default is not None, column.name


async def test_who_signs_in_with_an_old_proof_stays_outside(stage: Stage) -> None:
    ada = await person(stage.db, "ada")
    await leaves(stage.db, ada)
    async with stage.db.writing() as session:
        token = await signin.open_session(session, ada, remembered=False, user_agent="", address="")
    assert await behind(stage.db, token) is None


async def test_requests_go_and_uncounted_replies_stay_uncounted(stage: Stage) -> None:
    ada, bob = await person(stage.db, "ada"), await person(stage.db, "bob")
    question = await stage.says(bob, "a question")
    await stage.says(bob, "and more", in_reply_to=question.id)
    async with stage.db.writing() as session:
        await privacy.make_private(session, ada)
    await stage.says(ada, "an answer", in_reply_to=question.id)
    await stage.follows(bob, ada)
    async with stage.db.writing() as session:
        await privacy.make_private(session, bob)
        await privacy.make_public(session, bob)
    await leaves(stage.db, ada)
    await seven_days_later(stage.db)
    await takes_away(stage.db, ada)
    async with stage.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(FollowRequest)) == 0
        assert (await session.get_one(Post, question.id)).reply_count == 1
