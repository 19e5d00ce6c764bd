"""What administrators set, over what the environment says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from microblog.kernel.db import Database
from microblog.kernel.errors import Invalid
from microblog.settings import Settings
from microblog.site_settings import actions
from microblog.site_settings.model import SiteSetting, SiteSettings
from microblog.site_settings.queries import chosen

DEFAULTS = SiteSettings.from_environment(Settings())
UNCHANGED = {
    "name": "Microblog", "description": "", "rules": "", "sign_up": "open", "inviters": "members",
    "invitations_each": "5", "post_limit": "500", "contact_name": "", "contact_email": "",
}  # fmt: skip


async def kept(db: Database) -> dict[str, object]:
    async with db.reading() as session:
        rows = await session.execute(select(SiteSetting.name, SiteSetting.value))
        return {row.name: row.value for row in rows}


async def save(db: Database, **fields: str) -> dict[str, tuple[object, object]]:
    async with db.writing() as session:
        return await actions.save(session, DEFAULTS, UNCHANGED | fields)


async def test_only_what_differs_from_the_environment_is_kept(db: Database) -> None:
    assert await save(db) == {}
    changed = await save(db, name=" Our  place ", rules="Be kind.\n\n  No adverts. \n")
    assert changed == {
        "name": ("Microblog", "Our place"),
        "rules": ((), ("Be kind.", "No adverts.")),
    }
    assert await kept(db) == {"name": "Our place", "rules": ["Be kind.", "No adverts."]}
    async with db.reading() as session:
        found = await chosen(session, replace(DEFAULTS, name="Another", post_limit=900))
    assert (found.name, found.rules) == ("Our place", ("Be kind.", "No adverts."))
    assert found.post_limit == 900  # as the environment says by now


async def test_put_back_it_follows_the_environment_again(db: Database) -> None:
    await save(db, name="Our place", sign_up="closed")
    assert set(await save(db, sign_up="closed")) == {"name"}
    assert await kept(db) == {"sign_up": "closed"}


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("name", " \u200b "), ("name", "x" * 61), ("description", "x" * 501),
        ("rules", "a\n" * 21), ("rules", "x" * 301), ("sign_up", "ajar"), ("inviters", "nobody"),
        ("invitations_each", "101"), ("invitations_each", "-1"), ("invitations_each", "many"),
        ("post_limit", "49"), ("post_limit", "5001"), ("post_limit", "\u0665\u0660\u0660"),
        ("contact_name", "x" * 61), ("contact_email", "not an address"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_by_field(
    db: Database, field: str, written: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await save(db, **{field: written})
    assert set(refused.value.errors) == {field}
    assert await kept(db) == {}


async def test_everything_wrong_is_said_at_once(db: Database) -> None:
    with pytest.raises(Invalid) as refused:
        await save(db, name="", post_limit="1", contact_email="x")
    assert set(refused.value.errors) == {"name", "post_limit", "contact_email"}


async def test_a_number_of_the_environment_may_stay_what_it_is(db: Database) -> None:
    narrow = replace(DEFAULTS, post_limit=10)
    async with db.writing() as session:
        assert await actions.save(session, narrow, UNCHANGED | {"post_limit": "10"}) == {}


async def test_a_setting_of_another_version_is_passed_over(db: Database) -> None:
    async with db.writing() as session:
        session.add(SiteSetting(name="weather", value="fine"))
    async with db.reading() as session:
        assert await chosen(session, DEFAULTS) == DEFAULTS
