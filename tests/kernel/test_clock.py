"""A clock that is set while the process runs (SECURITY R19)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from microblog.kernel import clock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Hands:
    """What has passed, and what the clock says of it."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.ahead = timedelta()

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed) + self.ahead


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    hands = Hands()
    monkeypatch.setattr(clock, "now", hands.now)
    monkeypatch.setattr(time, "monotonic", lambda: hands.passed)
    return hands


def test_a_clock_set_forward_is_not_believed_and_one_set_back_is(hands: Hands) -> None:
    watch = clock.Doubtful()
    hands.ahead, hands.passed = timedelta(days=3), 3600.0
    assert watch.now() == NOON + timedelta(hours=1)
    hands.ahead = timedelta(0)
    assert watch.now() == NOON + timedelta(hours=1)
    hands.ahead = -timedelta(days=1)
    assert watch.now() == NOON + timedelta(hours=1) - timedelta(days=1)


def test_a_clock_that_stays_ahead_for_hours_was_wrong_before(hands: Hands) -> None:
    watch = clock.Doubtful()
    hands.ahead = timedelta(days=30)
    for hour in range(6):
        hands.passed = hour * 3600.0
        assert watch.now() == NOON + timedelta(hours=hour)
    hands.passed = 7 * 3600.0
    assert watch.now() == NOON + timedelta(days=30, hours=7)
    hands.passed += 60
    assert watch.now() == hands.now()


def test_hours_ahead_that_were_taken_back_do_not_add_up(hands: Hands) -> None:
    watch = clock.Doubtful()
    for hour in range(24):
        hands.passed = hour * 3600.0
        hands.ahead = timedelta(days=hour % 4)
        assert watch.now() == NOON + timedelta(hours=hour)
