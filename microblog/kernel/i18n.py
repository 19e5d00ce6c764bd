"""Languages: catalogues read straight from the ``.po`` files, and choosing one for a reader.

Catalogues are kept as text only and compiled in memory at the first use (60 ms): no build step,
nothing binary in the repository, nothing that can go stale.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import timedelta
from functools import cache, lru_cache
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from babel import dates
from babel.core import Locale, get_global, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

DEFAULT = "en"
LANGUAGES = {"en": "English", "es": "Español"}

Unit: TypeAlias = Literal["year", "month", "week", "day", "hour", "minute", "second"]

_SECOND = timedelta(seconds=1)
_UNITS = cast(dict[Unit, int], dict(dates.TIMEDELTA_UNITS))
# Which language is spoken where, and how its name may be completed: Babel reads it with all else it
# knows and has no way to leave it out.  Our languages are written out, and it is 1.6 MiB in every
# process.
_UNASKED: tuple[Literal["likely_subtags", "territory_languages"], ...] = (
    "likely_subtags", "territory_languages",
)  # fmt: skip
FOLDER = Path(__file__).parent.parent / "translations"


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of `language`; English is its own source."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    if language not in LANGUAGES or not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def chosen(setting: str | None, accept_language: Iterable[str]) -> str:
    """The person's setting, else the best of what the browser asks for, else English."""
    return str(setting) if setting in LANGUAGES else _best(tuple(accept_language))


@lru_cache(maxsize=200)
def _best(accept_language: tuple[str, ...]) -> str:
    wanted = [tag.replace("-", "_") for tag in accept_language]
    return negotiate_locale(wanted, list(LANGUAGES), sep="_") or _by_language(wanted) or DEFAULT


@cache
def locale(language: str) -> Locale:
    found = Locale.parse(language if language in LANGUAGES else DEFAULT)
    for table in _UNASKED:
        cast("dict[str, Any]", get_global(table)).clear()
    return found


def when(distance: timedelta, language: str) -> str:
    """A distance from now in words, such as "3 hours ago", or "in 3 hours" for one to come."""
    seconds = distance // _SECOND
    for unit, size in _UNITS.items():
        if abs(seconds) >= 0.85 * size:
            return _when(round(seconds / size), unit, language)
    return _when(seconds, "second", language)


@lru_cache(maxsize=1000)
def _when(count: int, unit: Unit, language: str) -> str:
    """Kept, for asking Babel takes 13 µs and a page has thirty of them."""
    exactly = timedelta(seconds=count * _UNITS[unit])
    return dates.format_timedelta(
        exactly, unit, threshold=inf, add_direction=True, locale=locale(language)
    )


def _by_language(wanted: list[str]) -> str | None:
    return next((tag.split("_")[0] for tag in wanted if tag.split("_")[0] in LANGUAGES), None)
