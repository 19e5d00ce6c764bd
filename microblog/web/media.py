"""Pictures as `media.store` keeps them: the same bytes to everybody, and never a page.

Those of people who are suspended or leaving are not found.
"""

from __future__ import annotations

import asyncio

from quart import Blueprint, Response

from microblog.kernel.errors import NotFound
from microblog.media import actions, store
from microblog.site import site
from microblog.web.access import public

pages = Blueprint("media", __name__)

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pages.get("/media/<name>")
@public
async def picture(name: str) -> Response:
    if (media_type := store.media_type(name)) is None:
        raise NotFound
    async with site().db.reading() as session:
        if not await actions.is_shown(session, name.partition("-")[0]):
            raise NotFound
    path = store.folder(site().settings.data_dir) / name
    try:
        content = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise NotFound from error
    return Response(content, content_type=media_type, headers=_HEADERS)
