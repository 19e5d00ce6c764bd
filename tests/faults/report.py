"""What a fault found, beside the goals of SECURITY §1, in one line.

Loss, duplicates, order and bounds fail every run.  Time fails the long run at its goal and the
short one, on whatever machine it meets, at five times that; in between it is *over*.  How much was
tried stands beside how much SECURITY asks for, and fails only a run that is to be full.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.history import History

PASS, OVER, FAIL, NOT_RUN = "pass", "over", "FAIL", "not run"
TOLERANCE = 5
SHOWN = 12  # complaints of one fault


@dataclass(frozen=True)
class Figure:
    """Something measured, and the goal that it must reach: not above it, or not below."""

    name: str
    value: float
    unit: str
    goal: float
    is_time: bool = True
    is_least: bool = False

    def __str__(self) -> str:
        sign = "≥" if self.is_least else "≤"
        return f"{self.name} {_number(self.value)} {self.unit} ({sign} {_number(self.goal)})"

    def verdict(self, *, is_short: bool) -> str:
        if self._reaches(1):
            return PASS
        return OVER if self.is_time and is_short and self._reaches(TOLERANCE) else FAIL

    def _reaches(self, tolerance: float) -> bool:
        if self.is_least:
            return self.value >= self.goal / tolerance
        return self.value <= self.goal * tolerance


@dataclass(frozen=True)
class Size:
    """How much was tried of something, and how much is to be."""

    name: str
    tried: float
    goal: float

    def __str__(self) -> str:
        return f"{_number(self.tried)} of {_number(self.goal)} {self.name}"

    @property
    def is_full(self) -> bool:
        return self.tried >= self.goal


def time(name: str, seconds: float, goal: float, unit: str = "s") -> Figure:
    return Figure(name, seconds, unit, goal)


def rate(name: str, a_second: float, goal: float, unit: str = "/s") -> Figure:
    return Figure(name, a_second, unit, goal, is_least=True)


def bound(name: str, value: float, goal: float, unit: str) -> Figure:
    """It fails every run: memory, bytes queued, repeats on the wire."""
    return Figure(name, value, unit, goal, is_time=False)


@dataclass
class Findings:
    """`facts` say what happened; `violations` are sentences, each of which fails the run."""

    facts: str = ""
    sizes: list[Size] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    not_run: str = ""  # why nothing could be tried here
    history: History | None = None

    def verdict(self, *, is_short: bool) -> str:
        if self.violations:
            return FAIL
        if self.not_run:
            return NOT_RUN
        found = {figure.verdict(is_short=is_short) for figure in self.figures}
        return next((one for one in (FAIL, OVER) if one in found), PASS)

    @property
    def is_full(self) -> bool:
        return not self.not_run and all(size.is_full for size in self.sizes)

    def complaints(self) -> str:
        """The first of them, below the line."""
        more = len(self.violations) - SHOWN
        lines = self.violations[:SHOWN] + ([f"… and {more} more"] if more > 0 else [])
        return "".join(f"\n      {line}" for line in lines)


def line(fault_id: str, name: str, database: str, findings: Findings, *, is_short: bool) -> str:
    what = [findings.not_run, ", ".join(map(str, findings.sizes)), findings.facts]
    said = " · ".join(filter(None, [*what, *map(str, findings.figures)]))
    verdict = findings.verdict(is_short=is_short)
    return f"{fault_id:4} {name:34} {database:10} {verdict:8} {said}{findings.complaints()}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
