"""Static files, and small fixed answers that crawlers and researchers ask for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from quart import Blueprint, Response, send_from_directory

from microblog.kernel import clock
from microblog.kernel.errors import NotFound
from microblog.providers import ICON_TYPES
from microblog.site import site
from microblog.web import journeys
from microblog.web.access import public
from microblog.web.rendering import render, resource

pages = Blueprint("plain_files", __name__)

_LONGEST = 200


@pages.get("/static/<path:filename>")
@public
async def static(filename: str) -> Response:
    """A file of static/; a first folder with a tilde is the version its address names."""
    if filename.startswith("~"):
        filename = filename.partition("/")[2]
    if len(filename) > _LONGEST:  # asking the file system would be an error
        raise NotFound
    return await send_from_directory(resource("static"), filename)


@pages.get("/login/<provider_id>/icon")
@public
async def provider_icon(provider_id: str) -> Response:
    """The picture that the operator has chosen; what may be in an SVG file does not run."""
    path = journeys.provider(provider_id).icon_file
    if path is None:
        raise NotFound
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotFound from error
    headers = {
        "Cache-Control": "public, max-age=3600",
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(content, content_type=ICON_TYPES[path.suffix.lower()], headers=headers)


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
    contact = site().chosen.contact_email or site().settings.sender
    expires = (clock.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    text = f"Contact: mailto:{contact}\nExpires: {expires}\nPreferred-Languages: en, es\n"
    return Response(text, content_type="text/plain; charset=utf-8")


@pages.get("/shortcuts")
@public
async def shortcuts() -> str:
    return render("shared/shortcuts.html")
