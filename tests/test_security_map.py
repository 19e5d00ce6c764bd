"""docs/security.md names a test for each requirement and each promise, and every one exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = ROOT / "tests" / "faults"
ROW = re.compile(r"^\| (R?\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ID = re.compile(r"`(tests/[^`]*)`")
STATE = re.compile(r"met(: .+)?|(partly|not yet): .+")

DOCUMENT = (ROOT / "docs" / "security.md").read_text()
ROWS = [(number, state, ID.findall(tests)) for number, _, state, tests in ROW.findall(DOCUMENT)]


@cache
def names(path: str) -> frozenset[str]:
    """Of the test functions and classes of a file; those in a class follow its name and ::."""
    found: set[str] = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) else []
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for each in inside or [node]:
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(prefix + each.name)
    return frozenset(name for name in found if name.rsplit("::")[-1].startswith("test_"))


def test_every_number_has_one_row() -> None:
    wanted = [*map(str, range(1, 51)), *(f"R{number}" for number in range(1, 25))]
    assert [number for number, _, _ in ROWS] == wanted


def test_the_names_of_a_file_are_found() -> None:
    assert "test_the_names_of_a_file_are_found" in names("tests/test_security_map.py")
    assert "TestLimits::test_successes_do_not_count" in names("tests/web/test_login.py")
    assert "test_successes_do_not_count" not in names("tests/web/test_login.py")


def test_what_is_named_exists() -> None:
    missing = {each for _, _, tests in ROWS for each in tests if not exists(each)}
    assert not missing


def exists(named: str) -> bool:
    """A test, or a module that breaks something: those have one function, `run`."""
    path, _, name = named.partition("::")
    if not (ROOT / path).is_file():
        return False
    return name in names(path) if name else (ROOT / path).parent == FAULTS


def test_each_row_says_how_it_stands() -> None:
    for number, state, tests in ROWS:
        assert STATE.fullmatch(state), number
        assert tests or state.startswith("not yet"), number


def test_every_fault_stands_in_the_row_of_its_promise() -> None:
    tests = {number: named for number, _, named in ROWS}
    for path in FAULTS.glob("r[0-9]*_*.py"):
        number = int(path.name[1:3])
        assert f"tests/faults/{path.name}" in tests[f"R{number}"], path.name
