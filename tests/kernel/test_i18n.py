"""Distances in time are said as Babel says them, from a cache."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from babel import dates

from microblog.kernel import i18n


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_any_distance_is_worded_as_babel_words_it(language: str) -> None:
    chance = Random(7)
    close = range(-4000, 4000)
    far = (chance.randint(-(10**9), 10**9) for _ in range(4000))
    for seconds in (*close, *far):
        distance = timedelta(seconds=seconds, microseconds=chance.choice((0, 1, 999_999)))
        expected = dates.format_timedelta(
            distance, add_direction=True, locale=i18n.locale(language)
        )
        assert i18n.when(distance, language) == expected, distance
