"""What members report, who hears of it, and appeals against what was done."""

from __future__ import annotations

import re

import pytest

from microblog.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from microblog.moderation import actions, appeals, queries, reports
from tests.moderation.conftest import House, with_role

KEY = b"k" * 32


async def reported(house: House, post_id: int | None = None) -> int:
    async with house.world.db.writing() as session:
        report = await reports.file(
            session, house.david.id, house.susan.id,
            category="spam", words="Look.", post_id=post_id,
        )  # fmt: skip
        return report.id


async def close(house: House, report_id: int, **how: object) -> None:
    async with house.world.db.writing() as session:
        await reports.close(session, house.mo.id, report_id, **how)  # type: ignore[arg-type]


async def waiting(house: House) -> int:
    async with house.world.db.reading() as session:
        return (await queries.waiting(session)).total


async def silenced(house: House) -> int:
    """The id of the entry."""
    async with house.world.db.writing() as session:
        await actions.silence(session, house.mo.id, house.susan.id, reason="Shouting.")
    async with house.world.db.reading() as session:
        return (await queries.entries(session))[0].id


async def appealed(house: House, entry_id: int) -> None:
    async with house.world.db.writing() as session:
        entry = await appeals.entry_of(session, [KEY], appeals.token(KEY, entry_id))
        await appeals.file(session, entry, "I only sang.")


async def test_a_report_waits_until_it_is_closed_and_the_reporter_hears(house: House) -> None:
    post = await house.susan.posts("Buy this")
    report_id = await reported(house, post)
    assert await reported(house, post) == report_id  # again changes nothing
    assert await waiting(house) == 1
    await close(house, report_id, outcome="delete_post", reason="Spam.")
    assert await waiting(house) == 0
    await house.world.settle()
    told = {letter.to: letter for letter in await house.world.letters()}
    assert set(told) == {"susan@example.org", "david@example.org"}
    assert "did something about it" in told["david@example.org"].text
    assert "Spam." not in told["david@example.org"].text
    assert "david" not in told["susan@example.org"].text
    assert "> Spam." in told["susan@example.org"].text
    assert "> Buy this" in told["susan@example.org"].text


async def test_every_report_of_the_same_is_closed_with_it(house: House) -> None:
    first = await reported(house)
    fan = await house.world.person("fan")
    async with house.world.db.writing() as session:
        await reports.file(session, fan.id, house.susan.id, category="other", words="Too.")
    await close(house, first, outcome="dismiss")
    assert await waiting(house) == 0
    await house.world.settle()
    letters = await house.world.letters()
    assert sorted(one.to or "" for one in letters) == ["david@example.org", "fan@example.org"]
    assert all("nothing against the rules" in one.text for one in letters)
    with pytest.raises(Conflict):
        await close(house, first, outcome="dismiss")


@pytest.mark.parametrize(
    ("category", "words"), [("", ""), ("rude", "x"), ("other", " "), ("spam", "x" * 1001)]
)
async def test_a_report_says_what_it_is_about(house: House, category: str, words: str) -> None:
    async with house.world.db.writing() as session:
        with pytest.raises(Invalid):
            await reports.file(
                session, house.david.id, house.susan.id, category=category, words=words
            )


async def test_nobody_reports_themselves_or_a_post_that_is_not_theirs(house: House) -> None:
    post = await house.david.posts("Mine")
    async with house.world.db.writing() as session:
        with pytest.raises(Invalid):
            await reports.file(session, house.david.id, house.david.id, category="spam", words="")
        with pytest.raises(NotFound):
            await reports.file(
                session, house.david.id, house.susan.id, category="spam", words="", post_id=post
            )


async def test_a_refused_outcome_leaves_the_report_open(house: House) -> None:
    report_id = await reported(house)
    for outcome in ("delete_post", "", "promote"):
        with pytest.raises(Invalid):
            await close(house, report_id, outcome=outcome, reason="So.")
    with pytest.raises(Invalid):
        await close(house, report_id, outcome="suspend", reason="")
    assert await waiting(house) == 1


async def test_an_appeal_is_made_once_by_the_link_in_the_mail(house: House) -> None:
    entry_id = await silenced(house)
    await house.world.settle()
    (letter,) = await house.world.letters()
    assert re.search(r"http://localhost/appeals/\d+-[0-9a-f]{40}\s", letter.text)
    await appealed(house, entry_id)
    assert await waiting(house) == 1
    with pytest.raises(Conflict):
        await appealed(house, entry_id)


@pytest.mark.parametrize("token", ["", "1", "1-" + "0" * 40, "9" * 19 + "-" + "0" * 40, "x-y"])
async def test_a_forged_link_opens_nothing(house: House, token: str) -> None:
    await silenced(house)
    async with house.world.db.reading() as session:
        with pytest.raises(NotFound):
            await appeals.entry_of(session, [KEY], token)


async def test_somebody_else_decides_and_granting_undoes(house: House) -> None:
    entry_id = await silenced(house)
    await appealed(house, entry_id)
    async with house.world.db.writing() as session:
        with pytest.raises(Forbidden):
            await appeals.decide(session, house.mo.id, entry_id, granted=False)
    async with house.world.db.writing() as session:
        await appeals.decide(session, house.ada.id, entry_id, granted=True)
        with pytest.raises(Conflict):
            await appeals.decide(session, house.ada.id, entry_id, granted=False)
    assert (await house.account(house.susan)).silenced_at is None
    assert await waiting(house) == 0
    await house.world.settle()
    assert "you were right" in (await house.world.letters())[-1].text


async def test_who_acted_decides_where_there_is_nobody_else(house: House) -> None:
    async with house.world.db.writing() as session:
        await actions.suspend(session, house.ada.id, house.mo.id, reason="Away.")
        await actions.silence(session, house.ada.id, house.susan.id, reason="Shouting.")
    async with house.world.db.reading() as session:
        entry_id = (await queries.entries(session))[0].id
    await appealed(house, entry_id)
    async with house.world.db.writing() as session:
        await appeals.decide(session, house.ada.id, entry_id, granted=False)
    assert (await house.account(house.susan)).silenced_at is not None


async def test_only_some_acts_can_be_appealed(house: House) -> None:
    other = await with_role(house.world, "other", "member")
    async with house.world.db.writing() as session:
        await actions.end_sessions(session, house.mo.id, other.id)
    async with house.world.db.reading() as session:
        entry_id = (await queries.entries(session))[0].id
        with pytest.raises(NotFound):
            await appeals.entry_of(session, [KEY], appeals.token(KEY, entry_id))
