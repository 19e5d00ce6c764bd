"""What a User-Agent says in words a person knows: which browser on which system.

Only for people to recognise their own devices; nothing is decided by it.
"""

from __future__ import annotations

# The first that is found counts: browsers name those whose pages they want to be sent.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("SamsungBrowser", "Samsung Internet"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
)


def browser(user_agent: str) -> str | None:
    return next((name for mark, name in _BROWSERS if mark in user_agent), None)


def system(user_agent: str) -> str | None:
    return next((name for mark, name in _SYSTEMS if mark in user_agent), None)
