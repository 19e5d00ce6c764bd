"""Where to go next, when the browser says so (SECURITY 26)."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

LONGEST = 2000
_ALLOWED = "/?#[]@!$&'()*+,;=:%~"  # of a URL, besides letters, digits and .-_
# Browsers read a backslash as a slash, and drop tabs and newlines before they look.
_PATH = re.compile(r"/(?![/\\])[^\\\s\x00-\x1f\x7f-\x9f]*")


def safe_path(wanted: str) -> str:
    """`wanted`, in ASCII, if it is a path on this site, else the home page."""
    if len(wanted) > LONGEST or not _PATH.fullmatch(wanted):
        return "/"
    try:
        parts = urlsplit(wanted)
        return "/" if parts.scheme or parts.netloc else quote(wanted, safe=_ALLOWED)
    except ValueError:
        return "/"
