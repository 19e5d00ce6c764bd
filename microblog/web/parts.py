"""Parts of a page that are drawn anew while something goes on: a copy that is made or read in."""

from __future__ import annotations

from typing import TypeAlias

from microblog.archives import queries as archives
from microblog.archives.events import ArchiveMoved
from microblog.archives.queries import ArchiveView
from microblog.imports import queries as imports
from microblog.imports.events import ImportMoved
from microblog.imports.queries import ImportView
from microblog.kernel.errors import NotFound
from microblog.kernel.model import Session

Part: TypeAlias = ArchiveView | ImportView
Moved: TypeAlias = ArchiveMoved | ImportMoved


async def part(session: Session, event: Moved) -> Part | None:
    """As it is now; None for what has been replaced or forgotten since."""
    if isinstance(event, ArchiveMoved):
        found = await archives.view(session, event.account_id)
        return found if found and found.id == event.archive_id else None
    try:
        return await imports.view(session, event.account_id, event.import_id)
    except NotFound:
        return None


def element(part: Part) -> str:
    """The id it has in the page."""
    return f"{'archive' if isinstance(part, ArchiveView) else 'import'}-{part.id}"
