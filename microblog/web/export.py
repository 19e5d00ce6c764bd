"""A copy of what is one's own: asked for, watched, fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator

from quart import Blueprint, Response, ResponseReturnValue

from microblog.archives import actions, lists, queries
from microblog.archives.queries import Ask
from microblog.kernel.db import Database
from microblog.site import me, site
from microblog.web.access import member
from microblog.web.acting import writing_as_me
from microblog.web.answers import done
from microblog.web.limits import limited
from microblog.web.pages import present
from microblog.web.paging import post_id_in
from microblog.web.reauthentication import recently_authenticated
from microblog.web.rendering import render

pages = Blueprint("export", __name__)

PATIENCE = 60.0  # seconds; Quart cuts every answer then, and this one may be large:
SLOWEST = 16 * 1024  # bytes a second of a line on which it still arrives


@pages.get("/settings/export")
@member
@recently_authenticated
async def show() -> ResponseReturnValue:
    async with site().db.reading() as session:
        here = await present(session)
        mine = await queries.view(session, me().id)
    return render("settings/export.html", archive=mine, position=str(here))


@pages.post("/settings/export")
@member
@recently_authenticated
@limited("5/day")
async def ask() -> ResponseReturnValue:
    async with writing_as_me() as session:
        await actions.ask(session, me().id)
    return done("/settings/export")


@pages.get("/settings/export/<archive_id>")
@member
@recently_authenticated
async def fetch(archive_id: str) -> ResponseReturnValue:
    async with site().db.reading() as session:
        mine = await queries.ready(session, me().id, post_id_in(archive_id))
    headers = {
        "Content-Disposition": f'attachment; filename="{site().settings.host}-{me().name}.zip"',
        "Content-Length": str(mine.size),
    }
    answer = Response(_content(site().db, mine.id), mimetype="application/zip", headers=headers)
    answer.timeout = PATIENCE + mine.size / SLOWEST
    return answer


@pages.get("/settings/export/following.csv")
@member
@recently_authenticated
async def following() -> ResponseReturnValue:
    return _list(lists.following_list(await _names(queries.following_after), _host()))


@pages.get("/settings/export/followers.csv")
@member
@recently_authenticated
async def followers() -> ResponseReturnValue:
    return _list(lists.followers_list(await _names(queries.followers_after), _host()))


def _list(content: str) -> Response:
    headers = {"Content-Disposition": "attachment"}
    return Response(content, content_type="text/csv; charset=utf-8", headers=headers)


def _host() -> str:
    return site().settings.host


async def _names(ask: Ask) -> list[str]:
    async with site().db.reading() as session:
        return [name async for name in queries.every_name(session, ask, me().id)]


async def _content(db: Database, archive_id: int) -> AsyncIterator[bytes]:
    """Part by part: nothing is open while a slow reader takes one."""
    number = 0
    while True:
        async with db.reading() as session:
            content = await queries.part(session, archive_id, number)
        if content is None:
            return
        yield content
        number += 1
