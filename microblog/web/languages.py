"""The reader's language and time zone, and sentences in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import dates, numbers
from quart import g, has_request_context, request

from microblog.kernel import clock, i18n
from microblog.site import viewer

# Set while rendering for readers other than the one asking.
chosen_language: ContextVar[str] = ContextVar("chosen_language")


def language() -> str:
    if elsewhere := chosen_language.get(""):
        return elsewhere
    if not has_request_context():
        return i18n.DEFAULT
    if "language" not in g:
        asking = viewer()
        speak(asking.language if asking else None)
    return cast(str, g.language)


def speak(wanted: str | None) -> None:
    """For the rest of this request: `wanted`, or what the browser asks for."""
    accepted = [tag for tag, _quality in request.accept_languages]
    g.language = i18n.chosen(wanted, accepted)


def time_zone_name() -> str:
    asking = viewer() if has_request_context() else None
    return (asking.time_zone if asking else None) or ""


def time_zone() -> tzinfo:
    return zone_named(time_zone_name())


def zone_named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def gettext(message: str) -> str:
    return i18n.translations(language()).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    return i18n.translations(language()).ngettext(one, many, n)


def translated(message: str, values: Mapping[str, object] | None = None) -> str:
    sentence = gettext(message)
    if not values:
        return sentence
    return sentence % {
        name: format_number(value) if isinstance(value, int) else value
        for name, value in values.items()
    }


def format_number(number: float) -> str:
    """With its thousands apart, as people of the language write them."""
    return str(numbers.format_decimal(number, locale=i18n.locale(language())))


def format_datetime(moment: datetime, *, lang: str = "", zone: tzinfo | None = None) -> str:
    """The exact time, as people of that language write it."""
    at = moment.astimezone(zone or time_zone())
    shown = dates.format_datetime(at, "medium", locale=i18n.locale(lang or language()))
    return str(shown) if at.utcoffset() else f"{shown} UTC"


def format_date(moment: datetime, *, lang: str = "") -> str:
    """The day, in the reader's time zone."""
    day = moment.astimezone(time_zone()).date()
    return str(dates.format_date(day, "long", locale=i18n.locale(lang or language())))


def format_day(written: str) -> str:
    """Of a day that came without a time, such as 2021-03-04."""
    day = date.fromisoformat(written)
    return str(dates.format_date(day, "long", locale=i18n.locale(language())))


def format_wait(seconds: int) -> str:
    """A length of time in words, rounded up so that trying then works."""
    minutes = -(-seconds // 60) if seconds > 90 else 0
    length = timedelta(minutes=minutes) if minutes else timedelta(seconds=seconds)
    return str(dates.format_timedelta(length, threshold=2, locale=i18n.locale(language())))


def format_relative(moment: datetime, *, lang: str = "") -> str:
    """How long ago, true when it was rendered; the script keeps it true."""
    ago = moment - clock.now()
    return str(
        dates.format_timedelta(ago, add_direction=True, locale=i18n.locale(lang or language()))
    )
