"""What this site is, its rules, how one gets in, and whom to write to."""

from __future__ import annotations

from quart import Blueprint

from microblog.web.access import public
from microblog.web.rendering import render

pages = Blueprint("about", __name__)


@pages.get("/about")
@public
async def show() -> str:
    return render("about/show.html")
