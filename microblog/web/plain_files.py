"""Static files, and small fixed answers that crawlers and researchers ask for."""

from __future__ import annotations

from datetime import timedelta

from quart import Blueprint, Response, send_from_directory

from microblog.kernel import clock
from microblog.site import site
from microblog.web.access import public
from microblog.web.rendering import render, resource

pages = Blueprint("plain_files", __name__)


@pages.get("/static/<path:filename>")
@public
async def static(filename: str) -> Response:
    """A file of static/; a first folder with a tilde is the version its address names."""
    if filename.startswith("~"):
        filename = filename.partition("/")[2]
    return await send_from_directory(resource("static"), filename)


@pages.get("/robots.txt")
@public
async def robots() -> Response:
    closed = (
        "/settings/",
        "/posts/",
        "/login",
        "/register",
        "/join/",
        "/password/",
        "/u/",
        "/confirm/",
    )
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    return Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@pages.get("/.well-known/security.txt")
@public
async def security() -> Response:
    """RFC 9116."""
    settings = site().settings
    expires = (clock.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    text = f"Contact: mailto:{settings.sender}\nExpires: {expires}\nPreferred-Languages: en, es\n"
    return Response(text, content_type="text/plain; charset=utf-8")


@pages.get("/shortcuts")
@public
async def shortcuts() -> str:
    return render("shared/shortcuts.html")
