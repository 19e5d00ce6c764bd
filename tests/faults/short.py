"""Every fault in its short form, as a test: a file for each database, since a file is what one of
the two processes of `bin/test` takes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.faults.catalogue import Fault, all_faults, required, tried
from tests.faults.report import FAIL, NOT_RUN, Findings, line
from tests.faults.scale import Scale

SHORT = Scale(5.0, is_short=True)
# They wait most of the time, for leases and locks and servers: side by side, each with databases
# and processes of its own.
TOGETHER = (("R15a", "R15b"), ("R18", "R23a", "R23b"))


def faults_on(kind: str) -> pytest.MarkDecorator:
    """The parameter `faults`: one, or those that are tried together."""
    found = {fault.id: fault for fault in all_faults() if kind in fault.short_kinds}
    groups: dict[tuple[str, ...], list[Fault]] = {}
    for fault in found.values():
        ids = next((ids for ids in TOGETHER if fault.id in ids), (fault.id,))
        groups.setdefault(ids, []).append(fault)
    names = ["+".join(fault.id for fault in group) for group in groups.values()]
    return pytest.mark.parametrize("faults", groups.values(), ids=names)


async def hold(faults: list[Fault], kind: str, databases: Databases, folder: Path) -> None:
    """Fails when a promise does not; with REQUIRE_FAULTS=1 also when nothing could be tried."""
    trials = [tried(fault, SHORT, databases, kind) for fault in faults]
    found = await asyncio.gather(*trials, return_exceptions=True)
    wrong = [_wrong(fault, kind, one, folder) for fault, one in zip(faults, found, strict=True)]
    if errors := [one for one in found if isinstance(one, Exception)]:
        raise ExceptionGroup("not tried to the end", errors)
    assert not any(wrong), "\n".join(wrong)
    if missed := [one.not_run for one in found if isinstance(one, Findings) and one.not_run]:
        pytest.skip("; ".join(missed))


def _wrong(fault: Fault, kind: str, found: Findings | BaseException, folder: Path) -> str:
    """What is, if anything."""
    if isinstance(found, BaseException):
        return ""
    said = line(fault.id, fault.name, kind, found, is_short=True)
    print(said)
    verdict = found.verdict(is_short=True)
    if verdict == FAIL and found.history is not None:
        found.history.save(folder / f"{fault.id}.jsonl")
    return said if verdict == FAIL or (verdict == NOT_RUN and required()) else ""
