"""What every page may say of its reader: names that templates find without being handed them."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from quart import g, get_flashed_messages, request

from microblog.accounts.actions import APPEARANCE
from microblog.kernel import i18n
from microblog.moderation.permissions import MAY_INVITE, is_staff
from microblog.moderation.queries import Waiting
from microblog.site import site, viewer
from microblog.web import languages
from microblog.web.guard import csrf_token


def reader() -> dict[str, Any]:
    settings, chosen = site().settings, site().chosen
    asking = viewer()
    waiting = g.get("waiting") or Waiting()
    return {
        "viewer": asking,
        "is_staff": asking is not None and is_staff(asking.role),
        "waiting": waiting.total,
        "waiting_in": waiting._asdict(),
        "may_invite": asking is not None and asking.role in MAY_INVITE[chosen.inviters],
        "site_name": chosen.name,
        "chosen": chosen,
        "base_url": settings.base_url,
        "csrf_token": cache(csrf_token),
        "path": request.path,
        "theme": asking.theme if asking else _last_theme(),
        "languages": list(i18n.LANGUAGES.items()),
        "language": languages.language(),
        "time_zone": languages.time_zone_name(),
        "flashes": lambda: get_flashed_messages(with_categories=True),
        "post_limit": chosen.post_limit,
        "new_key": lambda: secrets.token_urlsafe(18),
        "dev": settings.is_dev,
        "providers": settings.providers,
        "places": g.get("places", []),
        "copies_posts": settings.copies_posts,
        "with_passwords": settings.has_passwords,
    }


def _last_theme() -> str:
    """What this browser last chose: a page must not begin in another and change."""
    told = request.cookies.get("theme", "")
    return told if told in APPEARANCE["theme"] else "auto"
