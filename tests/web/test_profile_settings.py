from __future__ import annotations

import errno
import io
import os
import re
from typing import cast

import pytest
from PIL import Image
from quart import Response
from quart.datastructures import FileStorage

from microblog.accounts import queries as accounts
from microblog.media import store
from tests.web.visitor import Visitor, text
from tests.world import World

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
SAID = {
    "display_name": "Ada", "bio": "Numbers.", "pronouns": "she/her", "location": "London <i>",
    "link_label_1": "Notes <b>", "link_url_1": "https://example.org/notes?a=1&b=2",
    "link_label_3": "", "link_url_3": "http://www.xn--pple-43d.example",
}  # fmt: skip


@pytest.fixture
async def ada(world: World) -> Visitor:
    visitor = Visitor(world)
    await visitor.registers("ada")
    return visitor


async def test_a_profile_says_who_somebody_is(world: World, ada: Visitor) -> None:
    assert (await ada.submit("/settings/profile", **SAID)).status_code == 303
    page = await Visitor(world).page("/@ada")
    assert "she/her" in page
    assert "London &lt;i&gt;" in page
    assert "Notes &lt;b&gt;" in page
    assert (
        '<a href="https://example.org/notes?a=1&amp;b=2" rel="me nofollow noopener" dir="ltr">'
        "example.org/notes?a=1&amp;b=2</a>"
    ) in page
    assert ">www.xn--pple-43d.example</a>" in page
    form = await ada.page("/settings/profile")
    assert 'value="http://www.xn--pple-43d.example"' in form
    assert 'value="London &lt;i&gt;"' in form


async def test_refused_fields_stay_as_typed_and_nothing_is_saved(
    world: World, ada: Visitor
) -> None:
    wrong = SAID | {"pronouns": "x" * 41, "link_url_1": "javascript:alert(1)"}
    answer = await ada.submit("/settings/profile", **wrong)
    page = await text(answer)
    assert answer.status_code == 422
    assert 'value="javascript:alert(1)"' in page
    assert "at most 40 characters" in page
    assert 'href="#link_url_1"' in page
    async with world.db.reading() as session:
        mine = await accounts.by_name(session, "ada")
    assert (mine.pronouns, mine.links, mine.bio) == ("", [], "")


async def test_links_are_taken_away_again(world: World, ada: Visitor) -> None:
    await ada.submit("/settings/profile", **SAID)
    await ada.submit("/settings/profile", display_name="Ada", bio="")
    async with world.db.reading() as session:
        mine = await accounts.by_name(session, "ada")
    assert (mine.pronouns, mine.location, mine.links) == ("", "", [])


# -- pictures --------------------------------------------------------------------------------


def drawn(colour: str = "red", form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (120, 80), colour).save(file, form)
    return file.getvalue()


async def sends(
    visitor: Visitor, kind: str, picture: bytes | None, name: str = "x.png", **fields: str
) -> Response:
    shown = TOKEN.search(await visitor.page("/settings/profile"))
    assert shown
    files = {kind: FileStorage(io.BytesIO(picture), filename=name)} if picture is not None else {}
    form = {"csrf_token": shown[1], **fields}
    path = f"/settings/profile/{kind}"
    return cast(Response, await visitor.client.post(path, form=form, files=files))


def kept(world: World) -> list[str]:
    return sorted(each.name for each in store.folder(world.site.settings.data_dir).iterdir())


async def test_a_picture_is_shown_wherever_its_person_is(world: World, ada: Visitor) -> None:
    await ada.submit("/posts", page="/posts/new", body="Before the picture")
    assert '<svg class="avatar' in await Visitor(world).page("/@ada")
    answer = await sends(ada, "avatar", drawn(), avatar_alt='Ada "L"')
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/profile")
    page = await Visitor(world).page("/@ada")
    names = kept(world)
    assert [name.partition("-")[2] for name in names] == [
        "400.jpg",
        "400.webp",
        "96.jpg",
        "96.webp",
    ]
    assert page.count(f"/media/{names[3]}") == 1  # the post that was drawn before
    assert page.count(f"/media/{names[1]}") == 1
    assert 'alt="Ada &#34;L&#34;"' in page
    for path in ("/", "/explore", "/settings/profile"):
        assert f"/media/{names[3]}" in await ada.page(path)


def two_halves() -> bytes:
    """Red above, blue below."""
    file = io.BytesIO()
    picture = Image.new("RGB", (90, 120), "red")
    picture.paste((0, 0, 255), (0, 60, 90, 120))
    picture.save(file, "PNG")
    return file.getvalue()


async def middle_of(world: World, name: str) -> tuple[int, int, int]:
    answer = await world.visitor().get(f"/media/{name}")
    shown = Image.open(io.BytesIO(await answer.get_data())).convert("RGB")
    return cast(tuple[int, int, int], shown.getpixel((shown.width // 2, shown.height // 2)))


async def test_a_header_shows_the_part_that_was_chosen_and_keeps_its_focus(
    world: World, ada: Visitor
) -> None:
    await sends(ada, "header", two_halves(), crop="0 0.75 1 0.25", header_focus="left-bottom")
    red, _, blue = await middle_of(world, kept(world)[0])
    assert (red < 60, blue > 200) == (True, True)
    assert 'data-focus="left-bottom"' in await Visitor(world).page("/@ada")
    await sends(ada, "header", None, header_focus="right-top", header_alt="Two colours")
    page = await Visitor(world).page("/@ada")
    assert 'data-focus="right-top"' in page
    assert 'alt="Two colours"' in page
    await sends(ada, "header", None, remove="on")
    async with world.db.reading() as session:
        assert (await accounts.by_name(session, "ada")).header_focus == "middle-middle"


async def test_without_a_script_the_focus_says_what_is_shown(world: World, ada: Visitor) -> None:
    for focus, is_red in (("middle-top", True), ("middle-bottom", False)):
        await sends(ada, "header", two_halves(), header_focus=focus, crop="")
        assert ((await middle_of(world, kept(world)[0]))[0] > 200) is is_red


@pytest.mark.parametrize("wrong", [{"crop": "0 0 2 2"}, {"header_focus": "everywhere"}])
async def test_an_unclear_part_is_refused(
    world: World, ada: Visitor, wrong: dict[str, str]
) -> None:
    answer = await sends(ada, "header", two_halves(), **wrong)
    assert answer.status_code == 422
    assert "It is not clear what of the picture is to be shown." in await text(answer)
    assert not store.folder(world.site.settings.data_dir).exists()


async def test_a_picture_is_served_as_nothing_but_a_picture(world: World, ada: Visitor) -> None:
    await sends(ada, "avatar", drawn(form="JPEG"), name="../../etc/<b>.html")
    names = kept(world)
    for name, media_type in zip(names[:2], ("image/jpeg", "image/webp"), strict=True):
        for client in (world.visitor(), ada.client):
            answer = await client.get(f"/media/{name}")
            assert answer.status_code == 200
            assert answer.headers["Content-Type"] == media_type
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("sandbox")
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert "Vary" not in answer.headers
            assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "name",
    ["secret_key", "..%2fsecret_key", "%2e%2e/secret_key", "a" * 32 + "-96.svg",
     "a" * 32 + "-96.jpg",
     "a" * 32 + "-96.webp.part", "microblog.db", "%00", "a" * 32 + "-96.jpg%0a"],
)  # fmt: skip
async def test_nothing_else_is_served(world: World, name: str) -> None:
    (store.folder(world.site.settings.data_dir)).mkdir(exist_ok=True)
    (store.folder(world.site.settings.data_dir) / "secret_key").write_text("never told")
    answer = await world.visitor().get(f"/media/{name}")
    assert answer.status_code == 404
    assert "never told" not in await text(answer)


async def test_a_new_picture_replaces_the_files_of_the_old_one(world: World, ada: Visitor) -> None:
    await sends(ada, "avatar", drawn())
    await sends(ada, "header", drawn("green"), header_alt="A field")
    before = kept(world)
    assert len(before) == 6
    await sends(ada, "avatar", drawn("blue"))
    after = kept(world)
    assert len(after) == 6
    assert len(set(before) & set(after)) == 2
    page = await Visitor(world).page("/@ada")
    assert 'alt="A field"' in page
    assert "-1500.webp" in page


async def test_words_are_changed_and_pictures_removed(world: World, ada: Visitor) -> None:
    await sends(ada, "avatar", drawn(), avatar_alt="One")
    before = kept(world)
    await sends(ada, "avatar", b"", name="", avatar_alt="Another")
    assert kept(world) == before
    assert 'alt="Another"' in await ada.page("/@ada")
    await sends(ada, "avatar", None, remove="on")
    assert kept(world) == []
    assert "/media/" not in await ada.page("/@ada")


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [(b"<svg/>", "cannot be read"), (b"", "Choose a picture"), (bytes(5_300_000), "at most 5 MB")],
)
async def test_a_refused_picture_keeps_the_form(
    world: World, ada: Visitor, picture: bytes, sentence: str
) -> None:
    answer = await sends(ada, "avatar", picture, avatar_alt="My words")
    page = await text(answer)
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="My words"' in page
    assert not store.folder(world.site.settings.data_dir).exists() or kept(world) == []


async def test_too_long_words_are_refused_before_the_picture_is_looked_at(ada: Visitor) -> None:
    answer = await sends(ada, "header", drawn(), header_alt="x" * 301)
    assert answer.status_code == 422
    assert "at most 300 characters" in await text(answer)


async def test_a_full_disk_leaves_everything_as_it_was(
    world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sends(ada, "avatar", drawn(), avatar_alt="Before")
    before, calls = kept(world), []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("microblog.media.store.os.fsync", full)
        answer = await sends(ada, "avatar", drawn("blue"), avatar_alt="After")
    page = await text(answer)
    assert answer.status_code == 507
    assert "no room left" in page
    assert 'value="After"' in page
    assert kept(world) == before
    assert 'alt="Before"' in await ada.page("/@ada")


async def test_only_uploads_may_be_larger_than_a_form(ada: Visitor) -> None:
    answer = await sends(ada, "avatar", bytes(6 * 1024 * 1024))
    assert answer.status_code == 413
    files = {"body": FileStorage(io.BytesIO(bytes(2 * 1024 * 1024)), filename="x")}
    assert (await ada.client.post("/posts", form={}, files=files)).status_code == 413


async def test_what_killed_processes_left_is_swept(world: World, ada: Visitor) -> None:
    await sends(ada, "avatar", drawn())
    folder, shown = store.folder(world.site.settings.data_dir), kept(world)
    left = ["f" * 32 + "-96.webp", "e" * 32 + "-400.jpg.part", shown[0] + ".part"]
    for name in (*left, "notes.txt", "d" * 32 + "-96.jpg"):
        (folder / name).write_bytes(b"x")
    for name in (*left, "notes.txt", *shown):
        os.utime(folder / name, (0, 0))
    await world.machinery._sweep_media()
    assert kept(world) == sorted([*shown, "notes.txt", "d" * 32 + "-96.jpg"])
