"""Where a device says it is: by the language and the time zone of its browser, nothing else.

Nobody is looked up by address, here or anywhere.
"""

from __future__ import annotations

from babel import Locale, UnknownLocaleError, dates

from microblog.kernel import i18n
from microblog.web.languages import language


def whereabouts(spoken: str | None, time_zone: str | None) -> str:
    """Such as "Buenos Aires · Spanish (Argentina)", in the reader's language; "" if not known."""
    return " · ".join(filter(None, (_city(time_zone), _tongue(spoken))))


def _city(time_zone: str | None) -> str:
    if not time_zone or "/" not in time_zone:  # UTC is no place
        return ""
    try:
        locale = i18n.locale(language())
        city = dates.get_timezone_location(time_zone, locale=locale, return_city=True)
    except (LookupError, ValueError):
        return ""
    return str(city).rpartition("/")[2]


def _tongue(spoken: str | None) -> str:
    try:
        return Locale.parse(spoken or "", sep="-").get_display_name(i18n.locale(language())) or ""
    except (UnknownLocaleError, ValueError, TypeError):
        return ""
