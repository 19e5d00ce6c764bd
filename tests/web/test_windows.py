"""Moving windows, on a clock that the test moves."""

from __future__ import annotations

import pytest
from limits import parse

from microblog.web import limits
from microblog.web.limits import Windows

RULE = parse("2/minute")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(limits.time, "monotonic", lambda: moment[0])
    return moment


def test_a_place_is_free_again_a_window_after_it_was_taken(clock: list[float]) -> None:
    windows = Windows()
    assert windows.hit(RULE, "ada")
    clock[0] += 20
    assert windows.hit(RULE, "ada")
    assert not windows.hit(RULE, "ada")
    assert windows.wait(RULE, "ada") == 40
    assert windows.hit(RULE, "bob")
    clock[0] += 40
    assert windows.hit(RULE, "ada")
    assert not windows.hit(RULE, "ada")


def test_a_refusal_does_not_count(clock: list[float]) -> None:
    windows = Windows()
    for _ in range(5):
        windows.hit(RULE, "ada")
    clock[0] += 60
    assert windows.hit(RULE, "ada")
    assert windows.hit(RULE, "ada")


def test_windows_that_nobody_is_in_are_forgotten(clock: list[float]) -> None:
    windows = Windows()
    for number in range(100):
        windows.hit(RULE, f"visitor {number}")
    clock[0] += limits.SWEEP + 1
    windows.hit(RULE, "ada")
    assert len(windows._hits) == 1
