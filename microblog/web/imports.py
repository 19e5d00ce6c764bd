"""Bringing along what one had elsewhere: a copy, or a list of people."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import IO

from quart import Blueprint, Response, ResponseReturnValue, request

from microblog.follows import lists
from microblog.imports import actions, queries, reading
from microblog.imports.actions import CHOICES, PART
from microblog.imports.archive import CopyFile
from microblog.imports.queries import ImportView
from microblog.kernel import patience
from microblog.kernel.errors import N_, Invalid
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.answers import done
from microblog.web.forms import Form, read_form
from microblog.web.languages import translated
from microblog.web.limits import limited
from microblog.web.pages import present
from microblog.web.paging import number, post_id_in
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render

pages = Blueprint("imports", __name__)

HERE = "/settings/import"
SHOWN = 100  # of what was left out, on a page
STORING = 60.0  # seconds that a copy may wait for its turns to be stored

LEFT_OUT = N_("left-out")
CHOOSE = N_("Choose the ZIP file of your copy.")


@pages.get(HERE)
@member
@recently_authenticated
async def index() -> ResponseReturnValue:
    return await _index(Form())


@pages.post(HERE)
@member
@recently_authenticated
@limited("10/day")
async def bring_list() -> ResponseReturnValue:
    """The name of the file is of no interest."""
    await read_form(again=_index)
    sent = (await request.files).get("list")
    people = lists.read(sent.read() if sent else b"")
    async with site().db.writing() as session:
        begun = await actions.begin_list(session, me().id, people)
    return done(f"{HERE}/{begun.id}")


@pages.post(f"{HERE}/archive")
@member
@recently_authenticated
@limited("10/day")
async def offer() -> ResponseReturnValue:
    await read_form(again=_index)
    sent = (await request.files).get("archive")
    if sent is None or not sent.filename:
        raise Invalid("archive", CHOOSE)
    async with site().db.reading() as session:
        await actions.check_may_bring(session, me().id)
    copy = await asyncio.to_thread(CopyFile, sent.stream)
    contents = await asyncio.to_thread(reading.contents, copy)
    async with site().db.writing() as session:
        made = await actions.offer(session, me().id, contents, copy.host)
    await _store(made.id, sent.stream)
    return done(f"{HERE}/{made.id}")


@pages.get(f"{HERE}/<import_id>")
@member
async def show(import_id: str) -> ResponseReturnValue:
    return await _show(
        post_id_in(import_id), Form(dict.fromkeys(CHOICES, "") | dict.fromkeys(CHOICES[:5], "on"))
    )


@pages.post(f"{HERE}/<import_id>")
@member
@recently_authenticated
@limited("30/day")
async def begin(import_id: str) -> ResponseReturnValue:
    which = post_id_in(import_id)
    form = await read_form(*CHOICES, again=lambda form: _show(which, form))
    wanted = [choice for choice in CHOICES if form.checked(choice)]
    async with site().db.writing() as session:
        await actions.begin(session, me().id, which, wanted)
    return done(f"{HERE}/{which}")


@pages.post(f"{HERE}/<import_id>/stop")
@member
@limited("60/hour")
async def stop(import_id: str) -> ResponseReturnValue:
    async with site().db.writing() as session:
        kept = await actions.stop(session, me().id, post_id_in(import_id))
    return done(f"{HERE}/{import_id}" if kept else HERE)


@pages.post(f"{HERE}/<import_id>/undo")
@member
@recently_authenticated
@limited("30/day")
async def undo(import_id: str) -> ResponseReturnValue:
    which = post_id_in(import_id)
    await read_form(again=lambda form: _show(which, form))
    async with site().db.writing() as session:
        await actions.undo(session, me().id, which)
    return done(f"{HERE}/{which}")


@pages.get(f"{HERE}/<import_id>/left-out.csv")
@member
async def left_out(import_id: str) -> ResponseReturnValue:
    """What was left out and why, for a table."""
    which, made = post_id_in(import_id), io.StringIO()
    rows = csv.writer(made, quoting=csv.QUOTE_ALL)  # some programs part lines at ; instead
    after = 0
    async with site().db.reading() as session:
        await queries.own(session, me().id, which)
        while page := await queries.left_out(session, which, after=after, limit=1000):
            rows.writerows((_harmless(row.what), translated(row.why, row.details)) for row in page)
            after = page[-1].number
    headers = {"Content-Disposition": f'attachment; filename="{translated(LEFT_OUT)}.csv"'}
    return Response(made.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


async def _store(import_id: int, file: IO[bytes]) -> None:
    """Part by part, so that others write in between."""
    patience.limit(STORING)
    file.seek(0)
    part = 0
    while content := await asyncio.to_thread(file.read, PART):
        async with site().db.writing() as session:
            await actions.add_part(session, import_id, part, content)
        part += 1
    async with site().db.writing() as session:
        await actions.arrived(session, me().id, import_id)


async def _index(form: Form) -> str:
    async with site().db.reading() as session:
        earlier = await queries.recent(session, me().id)
    return render("imports/index.html", form=form, most=lists.MOST, earlier=earlier)


async def _show(import_id: int, form: Form) -> str:
    after = number(request.args.get("after", "")) or 0
    async with site().db.reading() as session:
        here = await present(session)
        shown: ImportView = await queries.view(session, me().id, import_id)
        left = await queries.left_out(session, import_id, after=after, limit=SHOWN + 1)
        brought = await queries.count_brought(session, import_id) if shown.is_over else 0
    return render(
        "imports/show.html", form=form, shown=shown, position=str(here), left=left[:SHOWN],
        later=left[SHOWN - 1].number if len(left) > SHOWN else None, after=after, brought=brought,
    )  # fmt: skip


def _harmless(written: str) -> str:
    """No program that opens the table takes it for a formula (SECURITY 30)."""
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written
