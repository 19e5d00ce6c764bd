"""Every fault in its short form, as a test: a file for each database, since a file is what one of
the two processes of `bin/test` takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import Databases
from tests.faults.catalogue import Fault, all_faults, required, tried
from tests.faults.report import FAIL, NOT_RUN, line
from tests.faults.scale import Scale

SHORT = Scale(5.0, is_short=True)


def faults_on(kind: str) -> pytest.MarkDecorator:
    """The parameter `fault`."""
    found = [fault for fault in all_faults() if kind in fault.short_kinds]
    return pytest.mark.parametrize("fault", found, ids=[fault.id for fault in found])


async def hold(fault: Fault, kind: str, databases: Databases, folder: Path) -> None:
    """Fails when the promise does not; with REQUIRE_FAULTS=1 also when nothing could be tried."""
    findings = await tried(fault, SHORT, databases, kind)
    said = line(fault.id, fault.name, kind, findings, is_short=True)
    print(said)
    verdict = findings.verdict(is_short=True)
    if verdict == FAIL and findings.history is not None:
        findings.history.save(folder / "history.jsonl")
    if verdict == NOT_RUN and not required():
        pytest.skip(findings.not_run)
    assert verdict not in (FAIL, NOT_RUN), said
