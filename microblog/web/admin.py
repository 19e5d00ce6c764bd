"""How the site stands, and what its moderators did."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import NamedTuple

from quart import Blueprint, ResponseReturnValue, current_app

from microblog.kernel.model import Session
from microblog.mail import queries as mail
from microblog.moderation import queries
from microblog.moderation.queries import PAGE, Totals
from microblog.site import site
from microblog.web.access import moderator
from microblog.web.languages import translated
from microblog.web.paging import cut, place
from microblog.web.rendering import render

pages = Blueprint("admin", __name__)

GIB = 1024**3
COUNTED_EVERY = 10.0  # seconds: counting goes through every row, however many there are


@dataclass(frozen=True, slots=True)
class Machine:
    """Of this process and its disk; several processes each know their own readers."""

    readers: int
    sockets: int
    mail: dict[str, int]
    disk_free: float  # GiB
    disk_all: float


class Counted(NamedTuple):
    totals: Totals
    until: float  # monotonic


@pages.get("/admin")
@moderator
async def show() -> ResponseReturnValue:
    async with site().db.reading() as session:
        totals = await _totals(session)
        queue = await mail.queue_depth(session)
    disk = shutil.disk_usage(site().settings.data_dir)
    machine = Machine(
        site().hub.accounts(), len(site().hub), queue, disk.free / GIB, disk.total / GIB
    )
    return render(
        "admin/show.html", totals=totals, machine=machine,
        notices=[translated(one.message, one.values) for one in site().notices()],
    )  # fmt: skip


async def _totals(session: Session) -> Totals:
    known: Counted | None = current_app.extensions.get("totals")
    if known is None or known.until <= time.monotonic():
        counted = await queries.totals(session)
        known = Counted(counted, time.monotonic() + COUNTED_EVERY)
        current_app.extensions["totals"] = known
    return known.totals


@pages.get("/admin/log")
@moderator
async def log() -> ResponseReturnValue:
    async with site().db.reading() as session:
        found = await queries.entries(session, before=place("before"))
    _, older = cut([entry.id for entry in found], PAGE)
    return render("admin/log.html", entries=found[:PAGE], next=older)
