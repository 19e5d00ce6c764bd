"""Changing what is set for the site.  Members can read in the log what was changed."""

from __future__ import annotations

from collections.abc import Mapping

from microblog.kernel.events import record
from microblog.kernel.model import Session
from microblog.moderation.actions import acting
from microblog.moderation.model import Entry
from microblog.site_settings import actions
from microblog.site_settings.events import SiteSettingsChanged
from microblog.site_settings.model import SiteSettings


async def change(
    session: Session, actor_id: int, defaults: SiteSettings, written: Mapping[str, str]
) -> bool:
    """Whether anything is different now.  Raises `Forbidden`, or `Invalid` for all fields."""
    await acting(session, actor_id, "change_settings")
    changed = await actions.save(session, defaults, written)
    if not changed:
        return False
    entry = Entry(
        actor_id=actor_id, act="change_settings", is_public=True,
        before={name: old for name, (old, _new) in changed.items()},
        after={name: new for name, (_old, new) in changed.items()},
    )  # fmt: skip
    session.add(entry)
    await session.flush()
    await record(session, SiteSettingsChanged(entry.id))
    return True
