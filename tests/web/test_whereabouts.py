from __future__ import annotations

import pytest

from microblog.web.whereabouts import whereabouts


@pytest.mark.parametrize(
    ("language", "zone", "place"),
    [
        ("es-ES", "Europe/Madrid", "Madrid · Spanish (Spain)"),
        ("en", None, "English"),
        (None, "America/Argentina/Buenos_Aires", "Buenos Aires"),
        ("zh-Hant-TW", "Asia/Taipei", "Taipei · Chinese (Traditional, Taiwan)"),
        ("xx", "Nowhere/Town", ""),
        ("*", "", ""),
        ("<b>", "<i>", ""),
        (None, "UTC", ""),
        (None, None, ""),
    ],
)
def test_a_place_is_a_city_of_the_time_zone_and_a_language(
    language: str | None, zone: str | None, place: str
) -> None:
    assert whereabouts(language, zone) == place
