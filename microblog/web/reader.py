"""What every page may say of its reader: names that templates find without being handed them."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from quart import g, get_flashed_messages, request

from microblog.kernel import i18n
from microblog.moderation.permissions import is_staff
from microblog.site import site, viewer
from microblog.web import languages
from microblog.web.guard import csrf_token


def reader() -> dict[str, Any]:
    settings = site().settings
    asking = viewer()
    return {
        "viewer": asking,
        "is_staff": asking is not None and is_staff(asking.role),
        "waiting": g.get("waiting", 0),
        "site_name": settings.site_name,
        "base_url": settings.base_url,
        "csrf_token": cache(csrf_token),
        "path": request.path,
        "languages": list(i18n.LANGUAGES.items()),
        "language": languages.language(),
        "time_zone": languages.time_zone_name(),
        "flashes": lambda: get_flashed_messages(with_categories=True),
        "post_limit": settings.post_limit,
        "new_key": lambda: secrets.token_urlsafe(18),
        "dev": settings.is_dev,
        "providers": settings.providers,
        "with_passwords": settings.has_passwords,
    }
