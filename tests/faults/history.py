"""What clients asked and were told, and what may be concluded from it.

Each client notes when it asks (`invoke`) and when and how it was answered; what was never answered
stays unknown: it may have happened or not.  The checkers are pure: they are given operations and
what was kept or told, and return sentences, none if all is well.
"""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"


@dataclass
class Operation:
    client: str
    op: str
    key: Hashable
    invoked_at: float  # monotonic seconds
    completed_at: float | None = None
    outcome: str = UNKNOWN
    value: Any = None  # what it was answered, or why it was refused

    def ok(self, value: Any = None) -> None:
        self._complete(OK, value)

    def fail(self, why: Any = None) -> None:
        """It certainly did not happen."""
        self._complete(FAIL, why)

    def _complete(self, outcome: str, value: Any) -> None:
        assert self.completed_at is None, "an operation completes once"
        self.completed_at, self.outcome, self.value = time.monotonic(), outcome, value


class History:
    """Only ever added to."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def invoke(self, client: str, op: str, key: Hashable = None) -> Operation:
        operation = Operation(client, op, key, time.monotonic())
        self.operations.append(operation)
        return operation

    def of(self, op: str) -> list[Operation]:
        return [one for one in self.operations if one.op == op]

    def acknowledged(self, op: str) -> list[Operation]:
        return [one for one in self.of(op) if one.outcome == OK]

    def acknowledged_value(self, key: Hashable) -> Any:
        return next(one.value for one in reversed(self.operations) if one.key == key)

    def save(self, path: Path) -> None:
        """One line of JSON for each operation, to be read by whoever looks for the cause."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(asdict(one), default=str) for one in self.operations)
        path.write_text("\n".join(lines) + "\n")


# -- writes -----------------------------------------------------------------------------------


def lost(operations: Iterable[Operation], kept: Mapping[Any, Any]) -> list[str]:
    """Acknowledged, and not there."""
    return [
        f"{one.op} {one.key} of {one.client} was acknowledged and is lost"
        for one in operations
        if one.outcome == OK and one.key not in kept
    ]


def changed(operations: Iterable[Operation], kept: Mapping[Any, Any]) -> list[str]:
    """Acknowledged as one thing, and there as another."""
    return [
        f"{one.op} {one.key} was answered with {one.value} and is kept as {kept[one.key]}"
        for one in operations
        if one.outcome == OK and one.key in kept and kept[one.key] != one.value
    ]


def disagreeing(operations: Iterable[Operation]) -> list[str]:
    """Asked several times under one key, and answered differently."""
    answers: defaultdict[Hashable, set[Any]] = defaultdict(set)
    for one in operations:
        if one.outcome == OK:
            answers[one.key].add(one.value)
    return [
        f"{key} was answered with {sorted(map(str, values))}"
        for key, values in answers.items()
        if len(values) > 1
    ]


def uninvited(operations: Iterable[Operation], kept: Iterable[Any]) -> list[str]:
    """There, though nobody asked for it or every asking was refused."""
    hoped = {one.key for one in operations if one.outcome != FAIL}
    return [f"{key} is there, which nobody got to write" for key in kept if key not in hoped]


def reordered(operations: Iterable[Operation]) -> list[str]:
    """Values that grow must grow in real time: who asks after another was answered comes later.

    This is what makes the order of the log the order that people saw.  Retries of one key count
    from the first asking to the first answer.
    """
    found, highest = [], None
    done = sorted(_firsts(operations), key=lambda one: one.completed_at or 0.0)
    settled = iter(done)
    waiting = next(settled, None)
    for one in sorted(done, key=lambda one: one.invoked_at):
        while waiting and (waiting.completed_at or 0.0) < one.invoked_at:
            highest = waiting if highest is None or waiting.value > highest.value else highest
            waiting = next(settled, None)
        if highest is not None and one.value < highest.value:
            found.append(f"{one.key} got {one.value}, after {highest.key} had got {highest.value}")
    return found


def _firsts(operations: Iterable[Operation]) -> list[Operation]:
    """One for each key that was acknowledged: from its first asking to its first answer."""
    asked: dict[Hashable, float] = {}
    answered: dict[Hashable, Operation] = {}
    for one in operations:
        asked[one.key] = min(one.invoked_at, asked.get(one.key, one.invoked_at))
        before = answered.get(one.key)
        if one.outcome == OK and (before is None or _end(one) < _end(before)):
            answered[one.key] = one
    return [
        Operation(one.client, one.op, key, asked[key], one.completed_at, OK, one.value)
        for key, one in answered.items()
    ]


def _end(operation: Operation) -> float:
    return operation.completed_at or 0.0


# -- what a reader was told -------------------------------------------------------------------


def repeated(who: str, told: Iterable[Hashable]) -> list[str]:
    """The same twice."""
    return [f"{who} had {one} {n} times" for one, n in Counter(told).items() if n > 1]


def missing(who: str, due: Iterable[Hashable], told: Iterable[Hashable]) -> list[str]:
    known = set(told)
    return [f"{who} was never told of {one}" for one in due if one not in known]


def strange(who: str, due: Iterable[Hashable], told: Iterable[Hashable]) -> list[str]:
    """Told what was not theirs."""
    theirs = set(due)
    return [f"{who} was told of {one}, not theirs" for one in told if one not in theirs]


def out_of_order(who: str, due: Sequence[Hashable], told: Iterable[Hashable]) -> list[str]:
    """Told in another order than that of `due`."""
    place = {one: number for number, one in enumerate(due)}
    places = [(place[one], one) for one in told if one in place]
    return [
        f"{who} was told of {one} after {before}"
        for (earlier, before), (later, one) in pairwise(places)
        if later < earlier
    ]


def feed(
    who: str,
    due: Sequence[Hashable],
    told: Sequence[Hashable],
    *,
    may_miss: Iterable[Hashable] = (),
) -> list[str]:
    """Everything that can be wrong with what a reader saw, `due` being in the order of the log;
    `may_miss` are those that came to nothing in the end, posts deleted while the reader was away.
    """
    excused = set(may_miss)
    return [
        *missing(who, [one for one in due if one not in excused], told),
        *strange(who, due, told), *repeated(who, told), *out_of_order(who, due, told),
    ]  # fmt: skip
