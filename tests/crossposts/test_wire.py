from __future__ import annotations

import pytest

from microblog.crossposts.wire import Reply


@pytest.mark.parametrize(
    "asked",
    [
        "soon",
        "-5",
        "9" * 30,
        "Mon, 99 Jan 2026 00:00:00 GMT",
        f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT",
    ],
)
def test_whatever_they_say_of_when_to_come_back_is_a_number(asked: str) -> None:
    assert Reply(429, {"retry-after": asked, "x-rate-limit-reset": asked}, {}).wait() == 0.0
