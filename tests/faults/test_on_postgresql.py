"""Every fault that is tried on PostgreSQL, in its short form."""

from __future__ import annotations

from pathlib import Path

from tests.databases import Databases
from tests.faults.catalogue import Fault
from tests.faults.short import faults_on, hold


@faults_on("postgresql")
async def test_the_promise_holds_under_the_fault(
    faults: list[Fault], databases: Databases, tmp_path: Path
) -> None:
    await hold(faults, "postgresql", databases, tmp_path)
