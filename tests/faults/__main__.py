"""Try every fault and print what came of it beside the goals of SECURITY §1.

    python -m tests.faults --minutes 10
    python -m tests.faults --minutes 12 --only R1,R4 --database postgresql
    python -m tests.faults --full
    python -m tests.faults --short

The time is shared out by what each would need for the sizes that SECURITY asks for (200 kills,
10,000 posts, ten minutes of 10,000 sockets, …); with less, fewer rounds fit, and the size that was
tried stands beside the goal's.  `--full` takes as long as all of it takes, two and a half hours on
two cores, and fails what stays smaller.

Exits with 1 when anything acknowledged was lost, doubled, shown out of order or went over a bound,
or (without --short) took longer than its goal.  What cannot be tried on this machine is counted,
and fails with --full or REQUIRE_FAULTS=1 in the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from tests.databases import KINDS, Databases
from tests.faults.catalogue import Fault, all_faults, required, tried
from tests.faults.report import FAIL, NOT_RUN, Findings, line
from tests.faults.scale import Scale

SHORT = 5.0  # seconds


def main() -> int:
    given = _given()
    wanted = [one.strip() for one in given.only.split(",") if one.strip()]
    faults = [fault for fault in all_faults() if not wanted or fault.id in wanted]
    if unknown := set(wanted) - {fault.id for fault in faults}:
        raise SystemExit(f"No such fault: {', '.join(sorted(unknown))}")
    kinds = KINDS if given.database == "both" else (given.database,)
    plan = [
        (fault, kind)
        for fault in faults
        for kind in (fault.short_kinds if given.short else fault.kinds)
        if kind in kinds
    ]
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases(Path(folder))
        try:
            return _try_all(plan, databases, given)
        finally:
            databases.close()


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests.faults", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10, help="about how long all may take")
    parser.add_argument("--full", action="store_true", help="all of it, however long that takes")
    parser.add_argument("--only", default="", metavar="R1,R4", help="nothing but these")
    parser.add_argument("--database", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--short", action="store_true", help="as small as inside bin/test")
    parser.add_argument("--keep", type=Path, default=Path("/tmp/microblog-faults"),
                        help="where the histories of failed faults are written")  # fmt: skip
    return parser.parse_args()


def _try_all(plan: list[tuple[Fault, str]], databases: Databases, given: argparse.Namespace) -> int:
    whole = sum(fault.full for fault, _ in plan) or 1.0
    share = 1.0 if given.full else min(1.0, given.minutes * 60 / whole)
    if not given.short:
        print(f"{share * whole / 60:.0f} of the {whole / 60:.0f} minutes that all of it takes")
    began, count = time.monotonic(), Counter[str]()
    for fault, kind in plan:
        scale = Scale(SHORT if given.short else share * fault.full, given.short, fault.full)
        findings = _findings(fault, scale, databases, kind)
        print(line(fault.id, fault.name, kind, findings, is_short=given.short), flush=True)
        verdict = findings.verdict(is_short=given.short)
        count[verdict] += 1
        count["small"] += not findings.is_full
        if verdict == FAIL:
            _keep(findings, given.keep / f"{fault.id}-{kind}.jsonl")
    took = (time.monotonic() - began) / 60
    print(
        f"{len(plan)} in the plan, {count[FAIL]} failed, {count[NOT_RUN]} could not be tried,"
        f" {count['small']} below the full size, in {took:.1f} minutes; load {_load()}"
    )
    missed = count[NOT_RUN] if required() else 0
    return 1 if count[FAIL] or missed or (given.full and count["small"]) else 0


def _findings(fault: Fault, scale: Scale, databases: Databases, kind: str) -> Findings:
    try:
        return asyncio.run(tried(fault, scale, databases, kind))
    except pytest.skip.Exception as error:  # no PostgreSQL can be started here
        return Findings(not_run=str(error))
    except Exception as error:  # noqa: BLE001 - the others are tried all the same
        traceback.print_exc(limit=-6, chain=False, file=sys.stderr)
        return Findings(violations=[f"it could not be tried to the end: {error!r}"])


def _keep(findings: Findings, path: Path) -> None:
    if findings.history is not None:
        findings.history.save(path)
        print(f"      its history: {path}")


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    raise SystemExit(main())
