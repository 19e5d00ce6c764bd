"""What holds now."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from sqlalchemy import select

from microblog.kernel.model import Session
from microblog.site_settings.model import SiteSetting, SiteSettings

_NAMES = frozenset(field.name for field in fields(SiteSettings))


async def chosen(session: Session, defaults: SiteSettings) -> SiteSettings:
    """What was set, over `defaults`; names that only another version knows are passed over."""
    rows = await session.execute(select(SiteSetting.name, SiteSetting.value))
    known = {name: _as_kept(value) for name, value in rows if name in _NAMES}
    return replace(defaults, **known)


def _as_kept(value: Any) -> Any:  # noqa: ANN401 - what JSON can say
    return tuple(value) if isinstance(value, list) else value
