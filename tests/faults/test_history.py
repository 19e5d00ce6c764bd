"""A checker that finds nothing proves nothing: each is given a planted mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults import history
from tests.faults.history import FAIL, OK, UNKNOWN, History, Operation


def post(
    key: str, began: float, ended: float | None, value: int | None, outcome: str = OK
) -> Operation:
    return Operation("susan", "post", key, began, ended, outcome, value)


GOOD = [
    post("a", 0, 1, 10), post("b", 2, 3, 20), post("c", 2.5, 3.5, 15),
    post("d", 4, None, None, UNKNOWN),
]  # fmt: skip
KEPT = {"a": 10, "b": 20, "c": 15, "d": 30}


def test_a_good_history_is_not_complained_of() -> None:
    assert not history.lost(GOOD, KEPT)
    assert not history.changed(GOOD, KEPT)
    assert not history.disagreeing(GOOD)
    assert not history.uninvited(GOOD, KEPT)
    assert not history.reordered(GOOD)


def test_a_planted_loss_is_found() -> None:
    assert history.lost(GOOD, {"a": 10, "b": 20}) == [
        "post c of susan was acknowledged and is lost"
    ]


def test_what_was_never_answered_may_be_there_or_not() -> None:
    assert not history.lost(GOOD, {"a": 10, "b": 20, "c": 15})
    assert not history.uninvited(GOOD, KEPT)


def test_a_planted_change_of_id_is_found() -> None:
    assert history.changed(GOOD, KEPT | {"b": 21}) == [
        "post b was answered with 20 and is kept as 21"
    ]


def test_two_answers_to_one_key_are_found() -> None:
    twice = [*GOOD, post("a", 5, 6, 11)]
    assert history.disagreeing(twice) == ["a was answered with ['10', '11']"]


def test_what_was_refused_or_never_asked_for_must_not_be_there() -> None:
    refused = [post("a", 0, 1, None, FAIL)]
    assert len(history.uninvited(refused, {"a": 1})) == 1
    assert len(history.uninvited([], {"z": 1})) == 1


def test_a_planted_reordering_is_found() -> None:
    assert history.reordered([post("a", 0, 1, 20), post("b", 2, 3, 10)]) == [
        "b got 10, after a had got 20"
    ]


def test_retries_of_one_key_count_from_the_first_asking_to_the_first_answer() -> None:
    retried = [post("a", 0, None, None, UNKNOWN), post("b", 1, 2, 20), post("a", 3, 4, 10)]
    assert not history.reordered(retried)
    replayed = [post("a", 0, 1, 10), post("b", 2, 3, 20), post("a", 4, 5, 10)]
    assert not history.reordered(replayed)


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ([1, 2, 4], "susan was never told of 3"),
        ([1, 2, 2, 3, 4], "susan had 2 2 times"),
        ([1, 3, 2, 4], "susan was told of 2 after 3"),
        ([1, 2, 3, 4, 9], "susan was told of 9, not theirs"),
    ],
)
def test_a_planted_gap_duplicate_reordering_or_leak_in_a_feed_is_found(
    told: list[int], complaint: str
) -> None:
    assert history.feed("susan", [1, 2, 3, 4], told) == [complaint]
    assert not history.feed("susan", [1, 2, 3, 4], [1, 2, 3, 4])


def test_what_was_deleted_may_be_missing_and_nothing_else() -> None:
    assert not history.feed("susan", [1, 2, 3], [1, 3], may_miss=[2])
    assert history.feed("susan", [1, 2, 3], [3, 1], may_miss=[2]) == ["susan was told of 1 after 3"]


def test_operations_are_noted_as_they_happen_and_complete_once(tmp_path: Path) -> None:
    log = History()
    asked = log.invoke("susan", "post", "a")
    assert log.operations[0].outcome == UNKNOWN
    asked.ok(7)
    with pytest.raises(AssertionError):
        asked.fail()
    log.invoke("david", "post", "b").fail("409")
    assert [one.key for one in log.acknowledged("post")] == ["a"]
    assert log.operations[0].invoked_at <= (log.operations[0].completed_at or 0)
    log.save(tmp_path / "history.jsonl")
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == [OK, FAIL]
