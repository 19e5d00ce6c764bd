"""Every fault in its short form, on every database it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import Databases
from tests.faults.catalogue import Fault, all_faults, tried
from tests.faults.report import FAIL, NOT_RUN, line
from tests.faults.scale import Scale

SHORT = Scale(5.0, is_short=True)
TRIALS = [
    pytest.param(fault, kind, id=f"{fault.id}-{kind}")
    for fault in all_faults()
    for kind in fault.short_kinds
]


@pytest.mark.parametrize(("fault", "kind"), TRIALS)
async def test_the_promise_holds_under_the_fault(
    fault: Fault, kind: str, databases: Databases, tmp_path: Path
) -> None:
    findings = await tried(fault, SHORT, databases, kind)
    said = line(fault.id, fault.name, kind, findings, is_short=True)
    print(said)
    verdict = findings.verdict(is_short=True)
    if verdict == FAIL and findings.history is not None:
        findings.history.save(tmp_path / "history.jsonl")
    if verdict == NOT_RUN:
        pytest.skip(findings.not_run)
    assert verdict != FAIL, said
