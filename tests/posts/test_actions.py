from __future__ import annotations

import asyncio
import contextlib

import pytest
from sqlalchemy import func, select

from microblog.kernel.clock import now
from microblog.kernel.errors import Invalid, NotFound
from microblog.posts import actions, queries
from microblog.posts.events import PostDeleted, PostEdited, PostPublished
from microblog.posts.model import Mention, Post, Revision, Tag
from tests.posts.stage import LIMIT, Stage


async def rows(stage: Stage, model: type) -> int:
    async with stage.db.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_a_post_is_kept_with_its_mentions_and_tags_and_told(stage: Stage) -> None:
    ada, bob = await stage.person("Ada"), await stage.person("bob")
    post = await stage.says(ada, "  hello @BOB and @nobody #Tag\r\nline  ")
    view = await stage.view(post.id)
    assert view.body == "hello @BOB and @nobody #Tag\nline"
    assert 'href="/@bob"' in view.html
    assert "@nobody #" not in view.html
    assert view.path == f"/@Ada/{post.id}"
    async with stage.db.reading() as session:
        assert list(await session.scalars(select(Mention.account_id))) == [bob]
        assert await queries.tags_of(session, post.id) == ["tag"]
    assert await stage.log() == [PostPublished(post.id, ada, post.id)]


async def test_ids_grow_with_time(stage: Stage) -> None:
    ada = await stage.person("ada")
    ids = [(await stage.says(ada, f"post {n}")).id for n in range(5)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("body", ["", " \n\t ", "\u200b\u200d\ufeff", "\u2800\u3164", "\x00\x07"])
async def test_a_post_must_say_something(stage: Stage, body: str) -> None:
    with pytest.raises(Invalid) as refused:
        await stage.says(await stage.person("ada"), body)
    assert "body" in refused.value.errors
    assert await stage.log() == []


@pytest.mark.parametrize(
    "body", ["x" * 501, "👩‍💻" * 501, "🇨🇺" * 501, "https://a.b/ " * 21, "e\u0301" * 501]
)
async def test_a_post_has_a_limit_in_characters(stage: Stage, body: str) -> None:
    with pytest.raises(Invalid) as refused:
        await stage.says(await stage.person("ada"), body)
    assert "body" in refused.value.errors


@pytest.mark.parametrize(
    "body", ["x" * 500, "👩‍💻" * 500, "🇨🇺" * 500, "https://a.b/" + "x" * 1500, "e\u0301" * 500]
)
async def test_the_limit_itself_is_allowed(stage: Stage, body: str) -> None:
    post = await stage.says(await stage.person("ada"), body)
    assert (await stage.view(post.id)).body == body


async def test_one_character_of_many_marks_cannot_be_of_any_size(stage: Stage) -> None:
    with pytest.raises(Invalid) as refused:
        await stage.says(await stage.person("ada"), "a" + "\u0301" * 10_000)
    assert refused.value.errors["body"][0] == actions.LARGE


async def test_lone_surrogates_and_controls_do_no_harm(stage: Stage) -> None:
    post = await stage.says(await stage.person("ada"), "a\ud800b\x00c\x1bd\u0085e")
    assert (await stage.view(post.id)).body == "a?bcde"


async def test_a_repeated_key_answers_with_the_first_post(stage: Stage) -> None:
    ada = await stage.person("ada")
    first = await stage.says(ada, "once", idempotency_key="key-1")
    again = await stage.says(ada, " once\r\n", idempotency_key="key-1")
    assert again.id == first.id
    assert len(await stage.log()) == 1


async def test_a_repeated_key_answers_with_the_first_post_even_when_edited(stage: Stage) -> None:
    ada = await stage.person("ada")
    first = await stage.says(ada, "once", idempotency_key="key-1")
    await stage.edits(ada, first.id, "twice")
    assert (await stage.says(ada, "once", idempotency_key="key-1")).id == first.id
    assert await rows(stage, Post) == 1


async def test_the_key_of_a_deleted_post_swallows_no_text(stage: Stage) -> None:
    ada = await stage.person("ada")
    first = await stage.says(ada, "a typpo", idempotency_key="key-1")
    await stage.deletes(ada, first.id)
    for text in ("a typpo", "no typo"):
        with pytest.raises(Invalid, match="sent from here before is deleted"):
            await stage.says(ada, text, idempotency_key="key-1")
    assert await rows(stage, Post) == 1


async def test_the_same_key_with_another_text_is_a_conflict(stage: Stage) -> None:
    ada = await stage.person("ada")
    first = await stage.says(ada, "once", idempotency_key="key-1")
    with pytest.raises(Invalid, match="another text"):
        await stage.says(ada, "other", idempotency_key="key-1")
    with pytest.raises(Invalid, match="another text"):
        await stage.says(ada, "once", idempotency_key="key-1", in_reply_to=first.id)
    assert await rows(stage, Post) == 1


async def test_keys_belong_to_their_author(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("bob")
    first = await stage.says(ada, "once", idempotency_key="key-1")
    assert (await stage.says(bob, "once", idempotency_key="key-1")).id != first.id


@pytest.mark.parametrize("key", ["", None])
async def test_without_a_key_every_post_is_a_new_one(stage: Stage, key: str | None) -> None:
    ada = await stage.person("ada")
    await stage.says(ada, "once", idempotency_key=key)
    await stage.says(ada, "once", idempotency_key=key)
    assert await rows(stage, Post) == 2


@pytest.mark.parametrize("key", ["x" * 10_000, "\x00", "\ud800", "key ✓"])
async def test_any_key_will_do(stage: Stage, key: str) -> None:
    ada = await stage.person("ada")
    first = await stage.says(ada, "once", idempotency_key=key)
    assert (await stage.says(ada, "once", idempotency_key=key)).id == first.id


async def test_a_form_sent_five_times_at_once_makes_one_post(stage: Stage) -> None:
    ada = await stage.person("ada")
    sent = [
        stage.says(ada, f"post {n}", idempotency_key=f"key-{n}")
        for n in range(20)
        for _ in range(5)
    ]
    ids = {post.id for post in await asyncio.gather(*sent)}
    assert len(ids) == 20 == await rows(stage, Post)
    assert len(await stage.log()) == 20


async def test_a_reply_joins_the_thread_and_is_counted(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("bob")
    root = await stage.says(ada, "root")
    reply = await stage.says(bob, "reply", in_reply_to=root.id)
    deeper = await stage.says(ada, "deeper", in_reply_to=reply.id)
    view = await stage.view(reply.id)
    assert (view.root_id, view.in_reply_to, view.reply_to_name) == (root.id, root.id, "ada")
    assert view.reply_count == 1
    assert (await stage.view(root.id)).reply_count == 1
    assert (await stage.log())[-1] == PostPublished(deeper.id, ada, root.id)
    async with stage.db.reading() as session:
        assert await queries.root_of(session, deeper.id) == root.id


async def test_what_is_gone_cannot_be_answered(stage: Stage) -> None:
    ada = await stage.person("ada")
    root = await stage.says(ada, "root")
    await stage.deletes(ada, root.id)
    silenced = await stage.person("eve", suspended_at=now())
    hidden = await stage.says(silenced, "hidden")
    for missing in (root.id, hidden.id, 0, -1, 1, 2**63 - 1):
        with pytest.raises(Invalid) as refused:
            await stage.says(ada, "reply", in_reply_to=missing)
        assert refused.value.errors[""][0] == actions.UNANSWERABLE


async def test_an_edit_keeps_what_was_said_before(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("bob")
    post = await stage.says(ada, "one #a")
    first = await stage.view(post.id)
    await stage.edits(ada, post.id, "two #b @bob")
    view = await stage.view(post.id)
    assert (view.body, view.version) == ("two #b @bob", 2)
    assert view.edited_at is not None
    assert 'href="/@bob"' in view.html
    async with stage.db.reading() as session:
        versions = await queries.versions(session, view)
        assert await queries.tags_of(session, post.id) == ["b"]
        assert list(await session.scalars(select(Mention.account_id))) == [bob]
    assert [(v.version, v.body) for v in versions] == [(2, "two #b @bob"), (1, "one #a")]
    assert versions[1].at == first.created_at
    assert (await stage.log())[-1] == PostEdited(post.id, ada, post.id, 2)


async def test_saving_the_same_text_again_changes_nothing(stage: Stage) -> None:
    ada = await stage.person("ada")
    post = await stage.says(ada, "same")
    await stage.edits(ada, post.id, " same ")
    assert (await stage.view(post.id)).edited_at is None
    assert len(await stage.log()) == 1


async def test_an_edit_obeys_the_same_limits(stage: Stage) -> None:
    ada = await stage.person("ada")
    post = await stage.says(ada, "same")
    for body in ("", "x" * 501):
        with pytest.raises(Invalid):
            await stage.edits(ada, post.id, body)


async def test_a_deleted_post_leaves_no_word_behind(stage: Stage) -> None:
    ada = await stage.person("ada")
    post = await stage.says(ada, "secret one @ada #secret", idempotency_key="k")
    await stage.edits(ada, post.id, "secret two @ada #secret")
    await stage.view(post.id)
    await stage.deletes(ada, post.id)
    view = await stage.view(post.id)
    assert (view.deleted, view.body, view.html) == (True, "", "")
    assert [await rows(stage, model) for model in (Revision, Mention, Tag)] == [0, 0, 0]
    async with stage.db.reading() as session:
        kept = await session.get(Post, post.id)
        assert kept
        assert kept.request_digest is None
    assert (await stage.log())[-1] == PostDeleted(post.id, ada, post.id)


async def test_deleting_a_reply_is_counted_and_deleting_twice_is_not(stage: Stage) -> None:
    ada = await stage.person("ada")
    root = await stage.says(ada, "root")
    reply = await stage.says(ada, "reply", in_reply_to=root.id)
    await stage.deletes(ada, reply.id)
    await stage.deletes(ada, reply.id)
    assert (await stage.view(root.id)).reply_count == 0
    assert len(await stage.log()) == 3


async def test_a_deleted_post_cannot_be_edited(stage: Stage) -> None:
    ada = await stage.person("ada")
    post = await stage.says(ada, "gone")
    await stage.deletes(ada, post.id)
    with pytest.raises(NotFound):
        await stage.edits(ada, post.id, "back")


async def test_somebody_elses_post_looks_as_if_it_did_not_exist(stage: Stage) -> None:
    ada, eve = await stage.person("ada"), await stage.person("eve")
    post = await stage.says(ada, "mine")
    refusals = []
    for target in (post.id, 1, 2**63 - 1):
        with pytest.raises(NotFound) as edited:
            await stage.edits(eve, target, "yours")
        with pytest.raises(NotFound) as deleted:
            await stage.deletes(eve, target)
        refusals.append((str(edited.value), str(deleted.value)))
    assert len(set(refusals)) == 1
    assert (await stage.view(post.id)).body == "mine"


async def test_a_refused_post_leaves_nothing(stage: Stage) -> None:
    ada = await stage.person("ada")
    with contextlib.suppress(RuntimeError):
        async with stage.db.writing() as session:
            await actions.publish(session, ada, "never #x @ada", limit=LIMIT, idempotency_key="k")
            raise RuntimeError
    assert [await rows(stage, model) for model in (Post, Mention, Tag)] == [0, 0, 0]
    assert await stage.log() == []
    await stage.says(ada, "never #x @ada", idempotency_key="k")
