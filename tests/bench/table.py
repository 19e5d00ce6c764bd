"""What the bench finds: one row for each thing compared, and how it is shown and written down."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEADINGS = ("", "ours", "beside it", "theirs", "ratio", "goal", "")


TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Goal:
    """A bound that PERFORMANCE.md sets, on the ratio to the peer or on our figure alone."""

    bound: float
    of: str = "ratio"  # or "ours"
    at_least: bool = False

    def words(self, unit: str) -> str:
        sign = "≥" if self.at_least else "≤"
        return (
            f"{sign} {self.bound:g} {TIMES}"
            if self.of == "ratio"
            else f"{sign} {self.bound:g} {unit}"
        )


def times(bound: float, *, at_least: bool = False) -> Goal:
    return Goal(bound, at_least=at_least)


def at_most(bound: float) -> Goal:
    return Goal(bound, of="ours")


@dataclass(frozen=True)
class Row:
    """`theirs` is the figure of `peer`, measured in the same run; without a peer there is none."""

    name: str
    unit: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one, or without what it is about."""
        figure = self.ours if self.goal and self.goal.of == "ours" else self.ratio
        if self.goal is None or figure is None:
            return None
        return figure >= self.goal.bound if self.goal.at_least else figure <= self.goal.bound

    def cells(self) -> tuple[str, ...]:
        theirs = "" if self.theirs is None else f"{figure(self.theirs)} {self.unit}"
        ratio = "" if self.ratio is None else f"{figure(self.ratio)} {TIMES}"
        goal = self.goal.words(self.unit) if self.goal else ""
        verdict = {True: "met", False: "missed", None: ""}[self.met]
        ours = f"{figure(self.ours)} {self.unit}"
        return self.name, ours, self.peer, theirs, ratio, goal, verdict

    def record(self) -> dict[str, Any]:
        return {
            "name": self.name, "unit": self.unit, "ours": self.ours, "peer": self.peer,
            "theirs": self.theirs, "ratio": self.ratio,
            "goal": self.goal.words(self.unit) if self.goal else None, "met": self.met,
        }  # fmt: skip


def figure(number: float) -> str:
    """Three digits, as many as a noisy machine can answer for."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) >= 0.01 else f"{number:.2g}"


def text(title: str, rows: Sequence[Row]) -> str:
    """A block of the table on a terminal."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
    shown = [f"\n{title}"]
    for line in lines:
        padded = [
            cell.ljust(width) if column in (0, 2, 5, 6) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        shown.append("  ".join(padded).rstrip())
    return "\n".join(shown)


def markdown(title: str, about: Sequence[str], rows: Sequence[Row]) -> str:
    """A section for a document: its title, the lines `about` how it was measured, its table."""
    lines = [f"**{title}**", "", *about, "", "| | ours | beside it | theirs | ratio | goal | |"]
    lines.append("|---|--:|---|--:|--:|---|---|")
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines)


def write_into(document: Path, measured: Mapping[str, str], order: Sequence[str]) -> None:
    """Put the sections that were measured, by title, between the two markers of `document`; others
    of `order` stay there as they were."""
    before, begin, rest = document.read_text().partition(BEGIN)
    earlier, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{document} has no {BEGIN} … {END} to write between.")
    known = _sections(earlier) | measured
    table = "\n\n".join(known[title] for title in order if title in known)
    document.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def _sections(written: str) -> dict[str, str]:
    """What `markdown` has made, by title."""
    found = re.split(r"^(?=\*\*.+\*\*$)", written, flags=re.MULTILINE)
    return {one[2 : one.index("**", 2)]: one.strip() for one in found if one.startswith("**")}
