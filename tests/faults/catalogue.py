"""All faults, and running one of them.

A fault is a module of this package, `r01_….py`, with

    ID = "R1"                     of SECURITY §1
    NAME = "kill -9 under writes"
    async def run(scale: Scale, database: str) -> Findings

where `database` is the URL of a migrated, empty one.  It may say which KINDS of database it is for
(both unless it does), with which SHORT_KINDS the short run contents itself, and its SHARE of the
long run's time (1 unless it does).
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests import faults
from tests.databases import KINDS, Databases
from tests.faults.client import all_hang_up
from tests.faults.report import Findings
from tests.faults.scale import Scale


@dataclass(frozen=True)
class Fault:
    id: str
    name: str
    run: Callable[[Scale, str], Awaitable[Findings]]
    kinds: tuple[str, ...] = KINDS
    short_kinds: tuple[str, ...] = KINDS
    share: float = 1.0


def all_faults() -> list[Fault]:
    """In the order of their numbers."""
    found = []
    for info in pkgutil.iter_modules(faults.__path__):
        if re.match(r"r\d", info.name):
            module = importlib.import_module(f"{faults.__name__}.{info.name}")
            kinds = getattr(module, "KINDS", KINDS)
            short, share = getattr(module, "SHORT_KINDS", kinds), getattr(module, "SHARE", 1.0)
            found.append(Fault(module.ID, module.NAME, module.run, kinds, short, share))
    return sorted(found, key=lambda fault: (int(fault.id.strip("Rabc")), fault.id))


async def tried(fault: Fault, scale: Scale, databases: Databases, kind: str) -> Findings:
    with tempfile.TemporaryDirectory() as folder:
        async with databases.new(kind, Path(folder)) as url:
            try:
                return await fault.run(scale, url)
            finally:
                all_hang_up()
