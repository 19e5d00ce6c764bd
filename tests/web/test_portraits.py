"""Names and pictures of people at providers, offered and never forced."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from quart import Response
from sqlalchemy import select, update

from microblog.accounts import queries as people
from microblog.accounts.model import Account
from microblog.demo.pretenders import Pretenders, listening, providers_at
from microblog.identities.model import Identity
from microblog.media import store
from microblog.settings import Settings
from tests.outbound.elsewhere import Elsewhere, elsewhere
from tests.web.travelling import confirmed, returns_from, sent_to
from tests.web.visitor import Visitor, text
from tests.world import Person, World

OFFERED = "Show my picture from"
AWAY = "The picture could not be fetched."


@pytest.fixture
async def there() -> AsyncIterator[Elsewhere]:
    async with elsewhere() as site:
        yield site


@pytest.fixture
async def settings(settings: Settings, there: Elsewhere) -> AsyncIterator[Settings]:
    async with listening(Pretenders()) as url:
        places = (urlsplit(url).netloc, there.place)
        yield replace(settings, providers=providers_at(url), reachable=places)


async def arrived(world: World, provider: str = "github") -> Visitor:
    """Somebody at the page that asks for a name."""
    visitor = Visitor(world)
    answer = await returns_from(visitor, provider, person="grace")
    assert answer.headers["Location"] == f"/login/{provider}/name"
    return visitor


async def begins(visitor: Visitor, provider: str = "github", **fields: str) -> Response:
    fields = {"username": "grace", "display_name": "Grace", **fields}
    return await visitor.submit(f"/login/{provider}/name", **fields)


async def picture_of(world: World, name: str = "grace") -> str | None:
    async with world.db.reading() as session:
        return (await people.by_name(session, name)).avatar


def files(world: World) -> list[str]:
    folder = store.folder(world.site.settings.data_dir)
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("provider", ["github", "facebook", "x"])
async def test_a_picture_is_shown_before_it_is_taken(world: World, provider: str) -> None:
    visitor = await arrived(world, provider)
    page = await visitor.page(f"/login/{provider}/name")
    assert OFFERED in page
    assert f'src="/login/{provider}/picture"' in page
    assert not re.search(r'value="on"[^>]* checked', page)
    answer = await visitor.client.get(f"/login/{provider}/picture")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    shown = Image.open(io.BytesIO(await answer.get_data(as_text=False)))
    assert shown.size == (96, 96)
    assert files(world) == []
    await begins(visitor, provider, picture="on")
    picture = await picture_of(world)
    assert picture
    assert files(world) == sorted(
        f"{picture}-{size}.{form}" for size in (400, 96) for form in ("jpg", "webp")
    )
    assert f"/media/{picture}" in await Visitor(world).page("/@grace")


async def test_without_the_tick_none_is_taken(world: World) -> None:
    visitor = await arrived(world)
    await begins(visitor)
    assert await picture_of(world) is None
    assert files(world) == []


async def test_the_one_shown_is_for_this_browser(world: World) -> None:
    visitor = await arrived(world)
    for other, path in ((Visitor(world), "github"), (visitor, "x")):
        assert (await other.client.get(f"/login/{path}/picture")).status_code == 404
    await begins(visitor)
    assert (await visitor.client.get("/login/github/picture")).status_code == 404


async def test_an_account_begins_without_a_picture_that_cannot_be_had(world: World) -> None:
    visitor = await arrived(world)
    world.site.outbound = type(world.site.outbound)()  # which asks nobody on this machine
    assert (await visitor.client.get("/login/github/picture")).status_code == 404
    answer = await begins(visitor, picture="on")
    assert answer.status_code == 303
    assert await picture_of(world) is None
    assert AWAY in await visitor.page("/")


async def test_previews_are_limited(world: World) -> None:
    visitor = await arrived(world)
    world.site.settings = replace(world.site.settings, limits="default")
    world.site.outbound = type(world.site.outbound)()
    answers = [await visitor.client.get("/login/github/picture") for _ in range(31)]
    assert [one.status_code for one in answers] == [404] * 30 + [429]


# -- later, from the settings ----------------------------------------------------------------


@pytest.fixture
async def grace(world: World) -> Person:
    """Somebody who has linked GitHub."""
    grace = await world.person("grace")
    url = await sent_to(await grace.submit("/settings/identities", link="github"))
    await grace.get(await confirmed(url, person="grace-hopper"))
    return grace


async def number(world: World) -> int:
    async with world.db.reading() as session:
        return await session.scalar(select(Identity.id)) or 0


async def shows(world: World, url: str) -> None:
    """As if the provider had named that address."""
    async with world.db.writing() as session:
        await session.execute(update(Identity).values(picture=url))


async def test_linking_changes_no_profile(world: World, grace: Person) -> None:
    async with world.db.reading() as session:
        account = await people.by_name(session, "grace")
    assert (account.display_name, account.avatar) == ("", None)


async def test_name_and_picture_are_taken_over_each_by_itself(world: World, grace: Person) -> None:
    page = f"/settings/identities/{await number(world)}"
    assert page in await grace.page("/settings/identities")
    shown = await grace.page(page)
    assert "Be called Grace-Hopper" in shown
    assert not re.search(r'value="on"[^>]* checked', shown)
    assert (await grace.get(f"{page}/picture")).status_code == 200
    assert (await grace.submit(page)).headers["Location"] == "/settings/identities"
    await grace.submit(page, name="on")
    assert "Grace-Hopper" in await grace.page("/@grace")
    assert await picture_of(world) is None
    await grace.submit(page, picture="on")
    assert await picture_of(world) is not None


async def test_nobody_sees_or_takes_anothers(world: World, grace: Person) -> None:
    eve = await world.person("eve")
    page = f"/settings/identities/{await number(world)}"
    for path in (page, f"{page}/picture", "/settings/identities/0"):
        assert (await eve.get(path)).status_code == 404
    assert (await eve.submit(page, picture="on")).status_code == 404


@pytest.mark.parametrize(
    "answer",
    [
        Response("<svg/>", mimetype="image/svg+xml"), Response(b"GIF89a" + b"x" * 2_000_000),
        Response(status=404), Response(status=302, headers={"Location": "http://10.0.0.1/a.png"}),
        Response(b"", mimetype="image/png"),
    ],
    ids=["svg", "large", "missing", "redirect", "empty"],
)  # fmt: skip
async def test_what_is_no_picture_is_refused_and_nothing_changes(
    world: World, grace: Person, there: Elsewhere, answer: Response
) -> None:
    there.pages["/a.png"] = answer
    await shows(world, f"{there.url}/a.png")
    page = f"/settings/identities/{await number(world)}"
    refused = await grace.submit(page, name="on", picture="on")
    assert refused.status_code == 422
    assert AWAY in await text(refused)
    async with world.db.reading() as session:
        account = await session.scalar(select(Account).where(Account.name == "grace"))
    assert account is not None
    assert (account.avatar, account.display_name) == (None, "")
    assert files(world) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a.png", "http://169.254.169.254/a", "file:///etc/passwd", "x"]
)
async def test_a_picture_leads_to_no_neighbour(world: World, grace: Person, url: str) -> None:
    """The provider may be in our network; what it names is asked like a stranger's address."""
    await shows(world, url)
    page = f"/settings/identities/{await number(world)}"
    assert (await grace.submit(page, picture="on")).status_code == 422
    assert (await grace.get(f"{page}/picture")).status_code == 404


# -- icons of providers ----------------------------------------------------------------------


async def test_each_button_has_its_drawing(world: World) -> None:
    page = await Visitor(world).page("/login")
    for name in ("github", "facebook", "x"):
        assert f'#{name}"/></svg> Continue with' in page
        assert (await world.visitor().get(f"/login/{name}/icon")).status_code == 404


async def test_a_file_of_the_operator_is_served_as_a_picture_only(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "club.svg"
    file.write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    settings = world.site.settings
    github = replace(settings.providers[0], icon=str(file))
    world.site.settings = replace(settings, providers=(github,))
    assert '<img class="icon icon-small" src="/login/github/icon" alt=""' in await Visitor(
        world
    ).page("/login")
    answer = await world.visitor().get("/login/github/icon")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    file.unlink()
    assert (await world.visitor().get("/login/github/icon")).status_code == 404
