from __future__ import annotations

import pytest

from microblog.signin.user_agents import browser, system

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_CHROME = f"Mozilla/5.0 (Windows NT 10.0; Win64) {_WEBKIT} Chrome/140 Safari/537.36"
_ANDROID = f"Mozilla/5.0 (Linux; Android 16; Pixel) {_WEBKIT} Chrome/140 Mobile"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19 like Mac OS X) Version/19 Safari/605"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/18 Safari/605"


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        (_FIREFOX, ("Firefox", "Linux")),
        (_CHROME, ("Chrome", "Windows")),
        (f"{_CHROME} Edg/140", ("Edge", "Windows")),
        (_ANDROID, ("Chrome", "Android")),
        (_IPHONE, ("Safari", "iPhone")),
        (_MAC, ("Safari", "macOS")),
        ("something else", (None, None)),
        ("", (None, None)),
    ],
)
def test_a_person_recognises_the_device(agent: str, names: tuple[str | None, str | None]) -> None:
    assert (browser(agent), system(agent)) == names
