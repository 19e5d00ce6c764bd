"""All faults, and running one of them.

A fault is a module of this package, `r01_….py`, with

    ID = "R1"                     of SECURITY §1
    NAME = "kill -9 under writes"
    async def run(scale: Scale, database: str) -> Findings

where `database` is the URL of a migrated, empty one.  It may say which KINDS of database it is for
(both unless it does), with which SHORT_KINDS the short run contents itself, and in FULL how many
seconds the sizes of SECURITY take it on two cores, on each database (60 unless it does).
"""

from __future__ import annotations

import importlib
import os
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
    full: float = 60.0


def all_faults() -> list[Fault]:
    """In the order of their numbers."""
    found = []
    for info in pkgutil.iter_modules(faults.__path__):
        if re.match(r"r\d", info.name):
            module = importlib.import_module(f"{faults.__name__}.{info.name}")
            kinds = getattr(module, "KINDS", KINDS)
            short, full = getattr(module, "SHORT_KINDS", kinds), getattr(module, "FULL", 60.0)
            found.append(Fault(module.ID, module.NAME, module.run, kinds, short, full))
    return sorted(found, key=lambda fault: (int(fault.id.strip("Rabc")), fault.id))


async def tried(fault: Fault, scale: Scale, databases: Databases, kind: str) -> Findings:
    with tempfile.TemporaryDirectory() as folder:
        async with databases.new(kind, Path(folder)) as url:
            with all_hang_up():
                return await fault.run(scale, url)


def required() -> bool:
    """Whether what cannot be tried here is to fail."""
    return bool(os.environ.get("REQUIRE_FAULTS"))
