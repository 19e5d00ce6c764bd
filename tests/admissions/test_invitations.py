"""Links by which members bring others along."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from microblog.accounts import actions as accounts
from microblog.accounts.model import Account
from microblog.admissions import door as doors
from microblog.admissions import invitations, queries
from microblog.admissions.door import Door
from microblog.admissions.model import Invitation
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.errors import Forbidden, Invalid, NotFound
from tests.posts.stage import Stage

EVERYBODY = ("member", "moderator", "administrator")
KEY = b"a key of thirty-two bytes, or so"


async def made(db: Database, account_id: int, *, uses: int = 1, days: int = 7) -> int:
    async with db.writing() as session:
        one = await invitations.create(
            session, account_id, note="For Ben", uses=uses, days=days, most=5
        )
        return one.id


async def comes_by(db: Database, invitation_id: int, name: str, mode: str = "invitation") -> bool:
    """Whether an account of that name began."""
    async with db.writing() as session:
        try:
            found = await doors.admission(session, Door(mode, EVERYBODY), invitation_id)
        except Forbidden:
            return False
        if found.invitation is None:
            return False
        account = await accounts.create(
            session, name=name, email=f"{name}@example.org", password_hash=None
        )
        await invitations.use(session, found.invitation, account.id)
        return True


async def test_it_lets_in_as_many_as_it_says_and_tells_who_came(db: Database, stage: Stage) -> None:
    susan = await stage.person("susan")
    link = await made(db, susan, uses=2)
    came = [await comes_by(db, link, name) for name in ("ann", "ben", "cat")]
    assert came == [True, True, False]
    async with db.reading() as session:
        (seen,) = await queries.invitations(session, account_id=susan)
        assert (seen.used, seen.works, seen.inviter, seen.note) == (2, False, "susan", "For Ben")
        who = await queries.who_came(session, [link])
        assert [name for _, name in who[link]] == ["ann", "ben"]
        by = await queries.came_by(session, who[link][0][0])
        assert by is not None
        assert by.inviter == "susan"
        assert await queries.came_by(session, susan) is None


async def test_of_many_at_once_one_comes_by_the_last_use(db: Database, stage: Stage) -> None:
    link = await made(db, await stage.person("susan"))
    came = await asyncio.gather(*(comes_by(db, link, f"guest{n}") for n in range(5)))
    assert sum(came) == 1


@pytest.mark.parametrize("mode", ["open", "approval", "invitation"])
async def test_it_opens_every_door_but_a_closed_one(db: Database, stage: Stage, mode: str) -> None:
    link = await made(db, await stage.person("susan"), uses=2)
    assert await comes_by(db, link, "ben", mode)
    assert not await comes_by(db, link, "cat", "closed")


async def test_what_each_door_says_to_who_has_none(db: Database) -> None:
    async with db.reading() as session:
        opened = await doors.admission(session, Door("open", EVERYBODY), None)
        asked = await doors.admission(session, Door("approval", EVERYBODY), 12345)
        assert (opened.applies, asked.applies) == (False, True)
        for mode in ("invitation", "closed"):
            with pytest.raises(Forbidden):
                await doors.admission(session, Door(mode, EVERYBODY), None)


async def test_it_ends_by_time_by_hand_and_with_who_made_it(db: Database, stage: Stage) -> None:
    susan = await stage.person("susan")
    late, withdrawn, orphan = [await made(db, susan) for _ in range(3)]
    async with db.writing() as session:
        await invitations.withdraw(session, susan, withdrawn)
        moment = now() - timedelta(seconds=1)
        old = update(Invitation).where(Invitation.id == late)
        await session.execute(old.values(expires_at=moment))
    assert not await comes_by(db, late, "ann")
    assert not await comes_by(db, withdrawn, "ann")
    async with db.reading() as session:  # of a role that may not invite here
        assert await invitations.working(session, orphan, ("administrator",)) is None
        assert await invitations.working(session, orphan, EVERYBODY) is not None
    async with db.writing() as session:
        gone = update(Account).where(Account.id == susan)
        await session.execute(gone.values(suspended_at=now()))
    assert not await comes_by(db, orphan, "ann")


async def test_nobody_withdraws_anothers(db: Database, stage: Stage) -> None:
    susan, david = await stage.person("susan"), await stage.person("david")
    link = await made(db, susan)
    async with db.writing() as session:
        with pytest.raises(NotFound):
            await invitations.withdraw(session, david, link)
    assert await comes_by(db, link, "ben")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("note", {"note": "x" * 101}), ("uses", {"uses": 0}), ("uses", {"uses": 101}),
        ("uses", {"uses": None}), ("days", {"days": 8}), ("days", {"days": None}),
    ],
)  # fmt: skip
async def test_bounds(db: Database, stage: Stage, field: str, given: dict[str, object]) -> None:
    susan = await stage.person("susan")
    usual = {"note": "", "uses": 1, "days": 7, "most": 5}
    async with db.writing() as session:
        with pytest.raises(Invalid) as refused:
            await invitations.create(session, susan, **usual | given)  # type: ignore[arg-type]
    assert set(refused.value.errors) == {field}


async def test_so_many_work_at_the_same_time_and_no_more(db: Database, stage: Stage) -> None:
    susan = await stage.person("susan")
    links = [await made(db, susan) for _ in range(5)]
    with pytest.raises(Forbidden):
        await made(db, susan)
    async with db.writing() as session:
        await invitations.withdraw(session, susan, links[0])
    await made(db, susan)


async def test_what_nobody_came_by_is_forgotten(db: Database, stage: Stage) -> None:
    susan = await stage.person("susan")
    unused, used = await made(db, susan), await made(db, susan)
    assert await comes_by(db, used, "ben")
    async with db.writing() as session:
        await session.execute(update(Invitation).values(expires_at=now() - timedelta(days=91)))
        assert await invitations.forget_ended(session)
        assert not await invitations.forget_ended(session)
    async with db.reading() as session:
        left = [one.id for one in await queries.invitations(session)]
    assert left == [used]
    assert unused not in left


def test_a_link_is_signed_and_outlasts_one_change_of_the_key() -> None:
    code = invitations.code(KEY, 77)
    assert invitations.id_in([KEY], code) == 77
    assert invitations.id_in([b"another key", KEY], code) == 77
    assert invitations.id_in([b"another key"], code) is None
    for forged in (
        code.replace("77-", "78-"),
        code[:-1],
        "77",
        "",
        "x" * 200,
        f"{2**63}-{'0' * 40}",
    ):
        assert invitations.id_in([KEY], forged) is None


async def test_where_none_are_allowed_nobody_is_told_to_withdraw_one(
    db: Database, stage: Stage
) -> None:
    susan = await stage.person("susan")
    async with db.writing() as session:
        with pytest.raises(Forbidden, match="allow none"):
            await invitations.create(session, susan, note="", uses=1, days=7, most=0)
