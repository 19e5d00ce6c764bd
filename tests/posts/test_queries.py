from __future__ import annotations

import contextlib

import pytest
from sqlalchemy import event

from microblog.accounts import actions as accounts
from microblog.kernel.clock import now
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session
from microblog.posts import actions, queries
from tests.posts.stage import LIMIT, Stage


async def test_views_come_by_id_and_unknown_ids_are_left_out(stage: Stage) -> None:
    ada = await stage.person("ada", display_name="Ada L", bio="count")
    post = await stage.says(ada, "hello")
    async with stage.db.reading() as session:
        found = await queries.views(session, [1, post.id, 2**63 - 1, post.id])
        assert await queries.views(session, []) == {}
    assert list(found) == [post.id]
    author = found[post.id].author
    assert (author.name, author.shown, author.bio) == ("ada", "Ada L", "count")
    assert hash(found[post.id])


async def test_more_ids_than_a_statement_takes_are_no_trouble(stage: Stage) -> None:
    async with stage.db.reading() as session:
        assert await queries.views(session, range(1, 1500)) == {}


async def test_posts_of_suspended_people_are_not_found(stage: Stage) -> None:
    eve = await stage.person("eve", suspended_at=now())
    post = await stage.says(eve, "hidden")
    with pytest.raises(NotFound):
        await stage.view(post.id)


async def test_a_page_that_was_read_before_costs_one_statement(stage: Stage) -> None:
    ada = await stage.person("ada")
    ids = [(await stage.says(ada, f"hello @ada {n}")).id for n in range(25)]
    said: list[str] = []
    engine = stage.db._read_engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    async with stage.db.reading() as session:
        first = await queries.views(session, ids)
        cold = len([one for one in said if one.startswith("SELECT")])
        again = await queries.views(session, ids)
    assert first == again
    assert (cold, len([one for one in said if one.startswith("SELECT")])) == (2, 3)


async def test_html_of_a_text_that_was_rolled_back_is_never_shown(stage: Stage) -> None:
    ada = await stage.person("ada")
    post = await stage.says(ada, "one")
    with contextlib.suppress(RuntimeError):
        async with stage.db.writing() as session:
            await actions.edit(session, ada, post.id, "never", limit=LIMIT)
            assert "never" in (await queries.view(session, post.id)).html
            raise RuntimeError
    await stage.edits(ada, post.id, "two")
    assert (await stage.view(post.id)).html == "two"


async def test_the_memory_of_views_is_bounded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_KEPT", 3)
    ada = await stage.person("ada")
    ids = [(await stage.says(ada, f"hello {n}")).id for n in range(6)]
    async with stage.db.reading() as session:
        found = await queries.views(session, ids)
    assert [found[one].html for one in ids] == [f"hello {n}" for n in range(6)]
    assert len(queries._kept) == 3


async def test_whoever_has_another_name_now_is_mentioned_still(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("bob")
    post = await stage.says(ada, "hello @Bob")
    async with stage.db.writing() as session:
        await accounts.rename(session, bob, "robert")
    queries._kept.clear()  # as in a process that begins now
    assert 'href="/@robert" dir="ltr">@Bob</a>' in (await stage.view(post.id)).html


async def test_what_others_forget_meanwhile_is_shown_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await stage.person("ada")
    known, new = [(await stage.says(ada, word)).id for word in ("known", "new")]
    await stage.view(known)
    mentioned = queries._mentioned

    async def beside_others(session: Session, ids: list[int]) -> dict[int, dict[str, str]]:
        queries._kept.clear()
        return await mentioned(session, ids)

    monkeypatch.setattr(queries, "_mentioned", beside_others)
    async with stage.db.reading() as session:
        found = await queries.views(session, [known, new])
    assert [found[one].html for one in (known, new)] == ["known", "new"]


async def test_only_posts_that_stand_are_counted(stage: Stage) -> None:
    ada = await stage.person("ada")
    ids = [(await stage.says(ada, "hello")).id for _ in range(3)]
    await stage.deletes(ada, ids[0])
    async with stage.db.reading() as session:
        assert await queries.count_by(session, ada) == 2


async def test_no_more_than_fifty_versions_are_told(stage: Stage) -> None:
    ada = await stage.person("ada")
    post = await stage.says(ada, "0")
    for n in range(1, 60):
        await stage.edits(ada, post.id, str(n))
    async with stage.db.reading() as session:
        told = await queries.versions(session, await queries.view(session, post.id))
    assert [version.body for version in told] == [str(n) for n in range(59, 9, -1)]
