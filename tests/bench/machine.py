"""Where the figures come from, and whether anything else was going on there."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = (
    "quart", "hypercorn", "sqlalchemy", "aiosqlite", "asyncpg", "websockets", "flask", "gunicorn",
    "aiosmtplib",
)  # fmt: skip
CALM = 0.3  # of the cores busy before the bench began


def described() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "model": _line("/proc/cpuinfo", r"model name\s*:\s*(.+)"),
        "memory MiB": int(_line("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0) // 1024,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in PACKAGES},
    }


def in_words(machine: dict[str, Any]) -> str:
    return (
        f"{machine['cores']} cores ({machine['model']}), {machine['memory MiB'] / 1024:.0f} GiB,"
        f" {machine['system']}, Python {machine['python']}, SQLite {machine['sqlite']}"
    )


def load() -> float:
    """How many processes wanted to run, on average over the last minute."""
    return os.getloadavg()[0]


def warn_unless_calm() -> None:
    cores = os.cpu_count() or 1
    print(f"Load before: {load():.2f} on {cores} cores.", flush=True)
    if load() > CALM * cores:
        print(
            "The machine is not calm: other programs are running.  Trust ratios, not figures.",
            file=sys.stderr,
        )


def _line(file: str, wanted: str) -> str:
    found = re.search(wanted, Path(file).read_text())
    return found[1].strip() if found else ""
