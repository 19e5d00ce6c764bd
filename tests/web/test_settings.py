from __future__ import annotations

from dataclasses import replace

import pytest

from microblog.accounts import queries as accounts
from microblog.settings import Settings
from tests.web.visitor import JSON, PASSWORD, Visitor, text
from tests.world import World

NEW = "another horse staple"
PAGES = ("profile", "appearance", "account")


@pytest.fixture
async def ada(world: World) -> Visitor:
    """Ada, signed in."""
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


@pytest.mark.parametrize("page", PAGES)
async def test_settings_are_for_members(world: World, page: str) -> None:
    answer = await world.visitor().get(f"/settings/{page}")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=")
    answer = await Visitor(world).submit(f"/settings/{page}", page="/login", display_name="x")
    assert answer.status_code == 401


async def test_settings_begin_with_the_profile(world: World, ada: Visitor) -> None:
    answer = await ada.client.get("/settings")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/profile")


async def test_a_profile_is_saved_and_shown_escaped(world: World, ada: Visitor) -> None:
    words = {"display_name": "Ada <b>L</b>", "bio": 'Numbers & "engines"\n</textarea>'}
    answer = await ada.submit("/settings/profile", **words)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/profile")
    page = await ada.page("/settings/profile")
    assert "Saved." in page
    assert "Ada &lt;b&gt;L&lt;/b&gt;" in page
    assert "&lt;/textarea&gt;" in page
    assert "<b>L" not in page
    assert "Saved." not in await ada.page("/settings/profile")
    found = await ada.who()
    assert found is not None
    assert found.display_name == "Ada <b>L</b>"


async def test_a_refused_profile_keeps_what_was_typed(world: World, ada: Visitor) -> None:
    answer = await ada.submit("/settings/profile", display_name="x" * 51, bio="still here")
    page = await text(answer)
    assert answer.status_code == 422
    assert "at most 50 characters" in page
    assert "still here" in page
    async with world.db.reading() as session:
        assert (await accounts.by_name(session, "ada")).bio == ""


async def test_role_and_address_cannot_be_sent_along(world: World, ada: Visitor) -> None:
    await ada.submit("/settings/profile", display_name="", bio="", role="administrator", email="x")
    await ada.submit("/settings/appearance", theme="dark", role="administrator", name="root")
    found = await ada.who()
    assert found is not None
    assert (found.role, found.email, found.name) == ("member", "ada@example.org", "ada")


async def test_appearance_is_chosen(world: World, ada: Visitor) -> None:
    page = await ada.page("/settings/appearance")
    assert '<option value="Europe/Madrid"' in page
    chosen = {
        "theme": "dark", "feed_mode": "insert", "language": "es", "time_zone": "America/Lima",
    }  # fmt: skip
    assert (await ada.submit("/settings/appearance", **chosen)).status_code == 303
    page = await ada.page("/settings/appearance")
    assert "Guardado." in page  # in the language just chosen
    assert "New posts wait" not in page
    assert "esperan arriba" not in page
    assert '<html lang="es" data-theme="dark">' in page
    assert 'data-feed-mode="insert"' in page
    assert '<option value="America/Lima" selected>' in page


async def test_the_theme_switch_sends_one_field(world: World, ada: Visitor) -> None:
    await ada.submit("/settings/appearance", language="es", feed_mode="insert")
    answer = await ada.submit("/settings/appearance", JSON, theme="light")
    assert (answer.status_code, await answer.get_json()) == (200, {"url": "/settings/appearance"})
    found = await ada.who()
    assert found is not None
    assert (found.theme, found.language, found.feed_mode) == ("light", "es", "insert")
    assert "Guardado" not in await ada.page("/")  # no note waits for the next page


async def test_a_choice_off_the_list_is_refused(world: World, ada: Visitor) -> None:
    answer = await ada.submit("/settings/appearance", theme="pink", time_zone="America/Lima")
    page = await text(answer)
    assert answer.status_code == 422
    assert "Choose one of the list." in page
    assert '<option value="America/Lima" selected>' in page
    found = await ada.who()
    assert found is not None
    assert found.time_zone is None


async def test_a_changed_password_signs_the_other_devices_out(world: World, ada: Visitor) -> None:
    other = Visitor(world)
    await other.signs_in()
    before = await ada.who()
    assert before is not None
    copied = {cookie.name: cookie.value for cookie in ada.client.cookie_jar}
    answer = await ada.submit("/settings/account", current_password=PASSWORD, password=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/account")
    now_here = await ada.who()
    assert now_here is not None
    assert now_here.session_id == before.session_id
    assert await other.who() is None
    thief = Visitor(world)
    for name, value in copied.items():
        thief.client.set_cookie("localhost", name, value)
    assert await thief.who() is None  # the old id died with the old password
    assert (await Visitor(world).signs_in("ada", PASSWORD)).status_code == 401
    assert (await Visitor(world).signs_in("ada", NEW)).status_code == 303
    await world.settle()
    told = [letter.kind for letter in await world.letters()]
    assert [kind for kind in told if kind != "new_device"] == ["password_changed"]


@pytest.mark.parametrize(
    ("current", "new", "sentence"),
    [
        ("wrong horse", NEW, "That is not your password."),
        ("", NEW, "That is not your password."),
        (PASSWORD, "short", "Use at least 8 characters."),
        (PASSWORD, "password1", "Many people use this password."),
        (PASSWORD, "ada@example.org", "too close to your name"),
    ],
)
async def test_a_password_is_not_changed_by(
    world: World, ada: Visitor, current: str, new: str, sentence: str
) -> None:
    answer = await ada.submit("/settings/account", current_password=current, password=new)
    page = await text(answer)
    assert answer.status_code == 422
    assert sentence in page
    assert f'value="{new}"' not in page
    assert (await Visitor(world).signs_in("ada", PASSWORD)).status_code == 303


class TestLimits:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, limits="default")

    async def test_ten_wrong_passwords_and_the_eleventh_waits(
        self, world: World, ada: Visitor
    ) -> None:
        statuses = [
            (await ada.submit("/settings/account", current_password="x", password=NEW)).status_code
            for _ in range(10)
        ]
        assert statuses == [422] * 10
        answer = await ada.submit("/settings/account", current_password=PASSWORD, password=NEW)
        assert answer.status_code == 429


async def test_colour_size_and_motion_are_in_the_page_itself(world: World, ada: Visitor) -> None:
    """So nothing flashes: the very first bytes say how the page looks."""
    assert '<html lang="en" data-theme="auto">' in await ada.page("/")
    chosen = {"accent": "plum", "text_size": "larger", "motion": "less"}
    assert (await ada.submit("/settings/appearance", **chosen)).status_code == 303
    for path in ("/", "/settings/appearance", "/missing"):
        page = await ada.page(path, 404 if path == "/missing" else 200)
        assert 'data-theme="auto" data-accent="plum" data-text="larger" data-motion="less">' in page
    assert "data-accent" not in await Visitor(world).page("/")


@pytest.mark.parametrize("field", ["accent", "text_size", "motion"])
async def test_what_is_not_on_the_list_is_refused(ada: Visitor, field: str) -> None:
    answer = await ada.submit("/settings/appearance", **{field: '"><script>'})
    assert answer.status_code == 422
