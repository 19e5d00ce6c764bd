"""That the bench runs, and says what it found; no figure is asserted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.table import BEGIN, END, Row, at_most, markdown, times, write_into
from tests.process import ROOT


def test_the_bench_prints_a_table_and_writes_it_down(tmp_path: Path) -> None:
    document, data = tmp_path / "performance.md", tmp_path / "found.json"
    earlier = "**Mail**\n\nof an older day\n\n**Pages**\n\nof another day"
    document.write_text(f"# Before\n\n{BEGIN}\n{earlier}\n{END}\n\nAfter.\n")
    command = ["--quick", "--only", "mail", "--json", str(data), "--write", str(document)]
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench", *command],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "outbox, 4 lines" in run.stdout
    written = document.read_text()
    assert "of an older day" not in written
    assert (
        f"{BEGIN}\n**Pages**\n\nof another day\n\n**Mail**\n\n`python -m tests.bench --qu"
        in written
    )
    assert written.startswith("# Before")
    assert written.endswith("After.\n")
    assert "| outbox, 4 lines |" in written
    found = json.loads(data.read_text())
    assert found["machine"]["cores"] >= 1
    assert found["rows"]["mail"][0]["ratio"] > 0


def test_an_unknown_name_is_refused() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--only", "tea"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode != 0
    assert "There is no tea" in run.stderr


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("a", "ms", 1.0, "b", 2.0, times(0.5)), True),
        (Row("a", "ms", 1.1, "b", 2.0, times(0.5)), False),
        (Row("a", "/s", 6.0, "b", 2.0, times(3, at_least=True)), True),
        (Row("a", "ms", 150.0, "b", 2.0, at_most(150)), True),
        (Row("a", "ms", 151.0, goal=at_most(150)), False),
        (Row("a", "ms", 1.0, "b", 2.0), None),
        (Row("a", "ms", 1.0, "b", 0.0, times(1)), None),
    ],
)
def test_a_row_says_whether_its_goal_is_met(row: Row, met: bool | None) -> None:
    assert row.met is met


def test_only_what_was_measured_is_written_anew(tmp_path: Path) -> None:
    document, order = tmp_path / "performance.md", ["Start", "Mail", "Pages"]
    document.write_text(f"{BEGIN}\n{END}\n")
    rows = [Row("a", "ms", 1.0, "b", 2.0, times(0.5))]
    for day, measured in (("Monday", order), ("Tuesday", ["Mail"]), ("Friday", ["Pages"])):
        write_into(document, {one: markdown(one, [day], rows) for one in measured}, order)
    written = re.sub(r"\n\|.*", "", document.read_text())
    found = re.findall(r"\*\*(\w+)\*\*\n\n(\w+)", written)
    assert found == [("Start", "Monday"), ("Mail", "Tuesday"), ("Pages", "Friday")]
    assert document.read_text().count("| a | 1 ms | b | 2 ms |") == len(order)


def test_a_document_without_markers_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    document.write_text("Nothing here.\n")
    with pytest.raises(SystemExit, match="has no"):
        write_into(document, {"Mail": "table"}, ["Mail"])
    assert document.read_text() == "Nothing here.\n"
