"""1, 5, 15, 30 minutes, then hours; never all at the same moment."""

from __future__ import annotations

import pytest

from microblog.mail import schedule


@pytest.mark.parametrize(
    ("tries", "minutes"),
    [(1, 1), (2, 5), (3, 15), (4, 30), (5, 60), (6, 120), (7, 240), (8, 240), (1000, 240)],
)
def test_waits_grow_and_vary_by_a_fifth(tries, minutes):
    waits = [schedule.wait(tries).total_seconds() / 60 for _ in range(200)]
    assert all(minutes * 0.8 <= each <= minutes * 1.2 for each in waits)
    assert max(waits) - min(waits) > minutes * 0.2
