"""Bringing along what one had elsewhere, as somebody at a browser without script does it."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import re

import pytest
from quart import Response
from quart.datastructures import FileStorage
from sqlalchemy import select, update

from microblog.accounts.model import Account
from microblog.imports import worker
from microblog.imports.events import ImportMoved
from microblog.imports.model import BroughtPost, Import
from microblog.kernel.clock import now
from microblog.kernel.events import LoggedEvent
from microblog.kernel.text import one_line
from microblog.signin.actions import end_all
from microblog.timelines.audience import Watchers
from microblog.web import bodies
from microblog.web.showing import messages, shown
from tests.imports.copies import answer, copy, post
from tests.web.test_reauthentication import later
from tests.web.visitor import Visitor, text
from tests.world import World

HERE = "/settings/import"


@pytest.fixture
async def ada(world: World, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    monkeypatch.setattr(worker, "LONGEST_REST", 0.0)
    visitor = Visitor(world)
    await visitor.registers("ada")
    await world.person("bob")
    return visitor


async def sends(
    visitor: Visitor, content: bytes | None, name: str = "list", path: str = HERE
) -> Response:
    page = await visitor.page(HERE)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    files = {}
    if content is not None:
        files[name] = FileStorage(io.BytesIO(content), filename="../../etc/passwd")
    answer: Response = await visitor.client.post(path, form={"csrf_token": token[1]}, files=files)
    return answer


async def sends_copy(visitor: Visitor, content: bytes | None) -> Response:
    return await sends(visitor, content, "archive", f"{HERE}/archive")


async def test_a_copy_is_looked_into_chosen_from_and_brought(world: World, ada: Visitor) -> None:
    file = copy([post(1), answer(2, 1), "nonsense"], following=("bob", "eve"),
                profile={"bio": "hello", "location": "x" * 99})  # fmt: skip
    there = (await sends_copy(ada, file.getvalue())).headers["Location"]
    page = await ada.page(there)
    assert "2 posts" in page
    assert "From March 4, 2021 to March 4, 2021" in page
    assert "there.example" in page
    assert 'id="posts" name="posts" type="checkbox" value="on" checked' in page
    assert not re.search(r'id="same_names"[^>]*checked', page)
    assert 'id="pictures"' not in page
    await ada.page("/@ada")
    assert "number 1" not in await ada.page("/@ada")
    answered = await ada.sends(page, there, posts="on", follows="on", profile="on")
    assert (answered.status_code, answered.headers["Location"]) == (303, there)
    assert "Being brought in: 0 %" in await ada.page(there)
    await world.machinery.importer.step()
    report = await ada.page(there)
    assert "2 posts brought along" in report
    assert "You follow 1 more person" in report
    assert "nobody here has that name" in report
    assert "cannot be read" in report
    assert "That is too long: at most 60 characters." in report
    profile = await ada.page("/@ada")
    assert profile.index("number 2") < profile.index("number 1")
    table = await text(await ada.client.get(f"{there}/left-out.csv"))
    assert '"eve","nobody here has that name"' in table
    assert f'href="{there}"' in await ada.page(HERE)


@pytest.mark.parametrize("host", ["there\ud800.example", "there\0.example"])
async def test_a_host_that_no_database_takes_is_made_plain(
    world: World, ada: Visitor, host: str
) -> None:
    origin = {"host": host, "id": "1", "answered": host}
    file = copy([post(1), post(2, origin=origin)], host=host)
    answer = await sends_copy(ada, file.getvalue())
    assert answer.status_code == 303
    await ada.submit(answer.headers["Location"], posts="on")
    await world.machinery.importer.step()
    assert "number 2" in await ada.page("/@ada")
    async with world.db.reading() as session:
        kept = await session.scalars(select(BroughtPost.host))
        assert set(kept) == {one_line(host)}


async def test_a_brought_post_says_where_it_was_written(world: World, ada: Visitor) -> None:
    """A date of long ago, on a site that was not there yet, explains itself."""
    strange = answer(2, 77, in_reply_to_name="bob", text="I agree")
    there = (await sends_copy(ada, copy([strange]).getvalue())).headers["Location"]
    await ada.submit(there, posts="on", answers="on")
    await world.machinery.importer.step()
    path = re.search(r'href="(/@ada/\d+)"', await ada.page("/@ada"))
    assert path
    page = await Visitor(world).page(path[1])
    assert "Brought along from there.example on" in page
    assert "There it answered <bdi>bob@there.example</bdi>." in page


async def test_the_posts_can_be_deleted_again(world: World, ada: Visitor) -> None:
    there = (await sends_copy(ada, copy([post(1)]).getvalue())).headers["Location"]
    await ada.submit(there, posts="on")
    await world.machinery.importer.step()
    page = await ada.page(there)
    assert "Deletes the post that was brought along." in page
    assert (await ada.sends(page, f"{there}/undo")).headers["Location"] == there
    await world.machinery.importer.step()
    page = await ada.page(there)
    assert "1 post deleted again" in page
    assert f"{there}/undo" not in page
    assert "number 1" not in await ada.page("/@ada")


async def test_an_offer_is_declined_and_a_run_is_stopped(ada: Visitor) -> None:
    file = copy([post(1)]).getvalue()
    first = (await sends_copy(ada, file)).headers["Location"]
    assert (await ada.submit(f"{first}/stop", page=first)).headers["Location"] == HERE
    await ada.page(first, 404)
    second = (await sends_copy(ada, file)).headers["Location"]
    await ada.submit(second, posts="on")
    busy = await sends_copy(ada, file)
    assert busy.status_code == 409
    assert "Something of yours is being brought in already." in await text(busy)
    await ada.submit(f"{second}/stop", page=second)
    assert "You stopped it." in await ada.page(second)


async def test_nothing_chosen_is_said(ada: Visitor) -> None:
    there = (await sends_copy(ada, copy([post(1)]).getvalue())).headers["Location"]
    refused = await ada.submit(there)
    assert refused.status_code == 409
    assert "Choose at least one thing" in await text(refused)


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK" * 50_000])
async def test_what_is_no_copy_is_refused_beside_the_field(
    ada: Visitor, content: bytes | None
) -> None:
    answered = await sends_copy(ada, content)
    page = await text(answered)
    assert answered.status_code == 422
    assert 'id="archive-error"' in page
    assert "Choose the ZIP file" in page


async def test_a_list_is_brought_along(world: World, ada: Visitor) -> None:
    content = b"Account address\nbob@localhost\n<b>eve</b>@other.example\n=1+1\n"
    there = (await sends(ada, content)).headers["Location"]
    await world.machinery.importer.step()
    page = await ada.page(there)
    assert "You follow 1 more person" in page
    assert "&lt;b&gt;eve&lt;/b&gt;@other.example" in page
    assert "is on another site" in page
    assert "@bob" in await ada.page("/@ada/following")


FORMULAS = ["=1+1", "+1", "-1", "@@SUM(A1)", "x;=1+1", 'x";=1+1', "  =2+2", "=cmd|' /C calc'!A0"]


async def test_no_table_takes_what_was_left_out_for_a_formula(world: World, ada: Visitor) -> None:
    """Wherever a program begins a new cell, at a comma or a semicolon."""
    file = io.StringIO()
    csv.writer(file).writerows([formula] for formula in FORMULAS)
    there = (await sends(ada, file.getvalue().encode())).headers["Location"]
    await world.machinery.importer.step()
    table = await text(await ada.client.get(f"{there}/left-out.csv"))
    for sign in ",;":
        cells = [cell for row in csv.reader(io.StringIO(table), delimiter=sign) for cell in row]
        assert len(cells) >= len(FORMULAS)
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=1+1" in table


@pytest.mark.parametrize("content", [None, b"", b"\x00"])
async def test_no_list_is_said_beside_the_field(ada: Visitor, content: bytes | None) -> None:
    answered = await sends(ada, content)
    page = await text(answered)
    assert answered.status_code == 422
    assert "There is no list in this file" in page
    assert 'id="list-error"' in page


async def test_too_long_a_list_is_refused(ada: Visitor) -> None:
    too_many = b"\n".join(b"p%d" % n for n in range(10_001))
    assert "a list may have 10,000 people" in await text(await sends(ada, too_many))
    assert "At most 10,000 people." in await ada.page("/settings/import")
    spanish = await ada.client.get("/settings/import", headers={"Accept-Language": "es"})
    assert "10.000 personas" in await text(spanish)
    assert (await sends(ada, b"x" * 1_100_000)).status_code == 413


async def test_nobody_sees_or_touches_the_import_of_somebody_else(
    world: World, ada: Visitor
) -> None:
    there = (await sends_copy(ada, copy([post(1)]).getvalue())).headers["Location"]
    mallory = Visitor(world)
    await mallory.registers("mallory")
    await mallory.page(there, 404)
    await mallory.page(f"{there}/left-out.csv", 404)
    for act in ("", "/stop", "/undo"):
        answered = await mallory.submit(f"{there}{act}", page=HERE, posts="on")
        assert answered.status_code == 404, act
    for odd in ("x", "-1", "9" * 30, "0"):
        await ada.page(f"{HERE}/{odd}", 404)
    await Visitor(world).client.get(there)
    assert "number 1" not in await ada.page("/@ada")


async def test_limited_people_are_told_so(world: World, ada: Visitor) -> None:
    async with world.db.writing() as session:
        await session.execute(update(Account).values(silenced_at=now()))
    answered = await sends_copy(ada, copy([post(1)]).getvalue())
    assert answered.status_code == 403
    assert "Moderators have limited this account" in await text(answered)


async def test_an_old_sign_in_is_not_enough(world: World, ada: Visitor) -> None:
    page = await ada.page(HERE)
    await later(world)
    answered = await ada.sends(page, HERE)
    assert answered.status_code == 403
    asked = await ada.client.get(HERE)
    assert asked.headers["Location"].startswith("/reauthenticate")


async def test_open_pages_hear_how_far_it_is(world: World, ada: Visitor) -> None:
    there = (await sends_copy(ada, copy([post(1)]).getvalue())).headers["Location"]
    await ada.submit(there, posts="on")
    await world.machinery.importer.step()
    found = await ada.who()
    assert found is not None
    moved = ImportMoved(found.id, int(there.rsplit("/", 1)[1]))
    logged = LoggedEvent(
        id=99, kind="ImportMoved",
        payload={"account_id": moved.account_id, "import_id": moved.import_id},
    )  # fmt: skip
    async with world.db.reading() as session:
        told = await shown(session, [logged], Watchers(), {f"own:{found.id}"}.__contains__)
    (message,) = messages(told[0], "epoch", ["en", "es"])
    said = message["en"].frame.decode(errors="replace")
    assert f'"element":"import-{moved.import_id}"' in said
    assert "1 post brought along" in said
    assert "csrf" not in said


# -- what comes before anything is read --------------------------------------------------------


async def test_strangers_send_no_large_file(world: World) -> None:
    """Not even one of an allowed size: nothing of it is read."""
    visitor = world.visitor()
    files = {"archive": FileStorage(io.BytesIO(b"x" * 100), filename="x.zip")}
    answered = await visitor.post(f"{HERE}/archive", form={"csrf_token": "x"}, files=files)
    assert answered.status_code == 403
    assert "Sign in first" in await answered.get_data(as_text=True)


async def test_nobody_fills_the_places_of_the_others(world: World, ada: Visitor) -> None:
    """Neither with a cookie of a session that has ended, nor with several files of one person."""
    page = await ada.page(HERE)
    arriving = world.app.extensions["copies_arriving"]
    found = await ada.who()
    assert found is not None
    arriving["another"] = found.id
    assert (await sends_copy(ada, b"x" * 100)).status_code == 429
    arriving.clear()
    async with world.db.writing() as session:
        await end_all(session, found.id)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    files = {"archive": FileStorage(io.BytesIO(b"x" * 100), filename="x.zip")}
    form = {"csrf_token": token[1]}
    answered = await ada.client.post(f"{HERE}/archive", form=form, files=files)
    assert answered.status_code == 403
    assert "Sign in first" in await text(answered)


async def test_too_large_a_copy_is_refused(ada: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES_OF_COPIES", 3 * 1024 * 1024)
    assert (await sends_copy(ada, b"x" * 4 * 1024 * 1024)).status_code == 413


async def test_a_full_disk_is_said_and_keeps_nothing(
    world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_where: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(bodies.tempfile, "TemporaryFile", full)
    answered = await sends_copy(ada, copy().getvalue())
    assert answered.status_code == 507
    assert "There is no room left for this file." in await text(answered)
    async with world.db.reading() as session:
        assert await session.scalar(select(Import)) is None


async def test_few_large_files_come_at_once(
    world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "COPIES_AT_ONCE", 0)
    answered = await sends_copy(ada, copy().getvalue())
    assert answered.status_code == 429
    assert answered.headers["Retry-After"] == "60"
    monkeypatch.setattr(bodies, "COPIES_AT_ONCE", 1)
    for _ in range(3):
        assert (await sends_copy(ada, copy([post(1)]).getvalue())).status_code == 303
    assert not world.app.extensions["copies_arriving"]


async def test_a_large_file_waits_on_the_line_until_it_is_read() -> None:
    """Memory holds a quarter of a megabyte of it, not all of it."""
    body = bodies.BoundedBody(None, bodies.MOST_BYTES_OF_COPIES)
    body.append(b"x" * (bodies.AHEAD + 1))
    waiting = asyncio.ensure_future(body.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert len(await anext(body)) == bodies.AHEAD + 1
    await asyncio.wait_for(waiting, 10)


async def test_a_form_without_parts_may_be_no_larger_there(ada: Visitor) -> None:
    answered = await ada.client.post(
        f"{HERE}/archive", data=b"x" * 2_000_000,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert answered.status_code == 413
