"""What only administrators do, and not with a sign-in of long ago: roles, second steps, bans."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from microblog.accounts.model import Ban
from microblog.kernel.clock import now
from microblog.signin import two_factor
from microblog.signin.model import LoginSession, SecondFactor
from tests.moderation.conftest import House
from tests.moderation.conftest import house as house


async def proved_long_ago(house: House) -> None:
    async with house.world.db.writing() as session:
        long_ago = now() - timedelta(minutes=11)
        await session.execute(update(LoginSession).values(authenticated_at=long_ago))


async def has_second_step(house: House) -> bool:
    async with house.world.db.reading() as session:
        return await two_factor.is_on(session, house.susan.id)


async def turn_on_second_step(house: House) -> None:
    async with house.world.db.writing() as session:
        session.add(SecondFactor(account_id=house.susan.id, secret=b"sealed", confirmed_at=now()))


@pytest.mark.parametrize("path", ["role", "second-step/reset"])
async def test_rights_are_changed_after_a_recent_proof_only(house: House, path: str) -> None:
    await turn_on_second_step(house)
    await proved_long_ago(house)
    url = f"/admin/people/{house.susan.id}/{path}"
    answer = await house.ada.submit(url, role="moderator")
    assert answer.status_code == 403
    assert "Confirm that it is you" in await answer.get_data(as_text=True)
    assert (await house.account(house.susan)).role == "member"
    assert await has_second_step(house)


async def test_bans_are_made_and_taken_back_after_a_recent_proof_only(house: House) -> None:
    async with house.world.db.writing() as session:
        session.add(Ban(kind="name", value="root_beer"))
    await proved_long_ago(house)
    for path in ("/admin/bans", "/admin/bans/1/delete"):
        answer = await house.ada.submit(path, kind="domain", value="spam.example")
        assert answer.status_code == 403, path
    page = await house.ada.page("/admin/bans")
    assert "root_beer" in page
    assert "spam.example" not in page


async def test_a_second_step_is_switched_off_where_there_is_one(house: House) -> None:
    path = f"/admin/people/{house.susan.id}"
    form = f'action="{path}/second-step/reset"'
    assert form not in await house.ada.page(path)
    await turn_on_second_step(house)
    assert form not in await house.mo.page(path)
    assert form in await house.ada.page(path)
    assert (await house.mo.submit(f"{path}/second-step/reset")).status_code == 404
    answer = await house.ada.submit(f"{path}/second-step/reset")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert not await has_second_step(house)


async def test_a_role_of_nobodys_is_refused_on_the_page(house: House) -> None:
    answer = await house.ada.submit(f"/admin/people/{house.susan.id}/role", role="emperor")
    assert answer.status_code == 422
    assert "Choose one of the list" in await answer.get_data(as_text=True)
