"""What most processes never want is not loaded before somebody wants it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from microblog.kernel import later
from microblog.kernel.later import Later
from tests.process import ROOT

SELDOM = (
    "alembic", "asyncpg", "authlib", "cryptography", "httpcore2", "httpx2", "joserfc", "nats",
    "PIL", "segno", "sqlalchemy.dialects.postgresql", "webauthn",
)  # fmt: skip
MIGRATING = """
import sys
from microblog.commands import serving
from microblog.settings import Settings
settings = Settings.from_env(mode="serve")
serving._migrate_apart(settings, print)
print(*sys.modules.keys() & {"alembic"}, *[each.suffix for each in settings.data_dir.glob("*.db")])
"""


def test_the_program_starts_without_what_it_seldom_needs() -> None:
    says = f"import sys, microblog.__main__; print(*sys.modules.keys() & {set(SELDOM)!r})"
    assert _said(says) == []


def test_what_it_loads_is_looked_through_for_garbage_neither_then_nor_later() -> None:
    says = "import gc, microblog.__main__; print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    assert _said(says) == ["True", "True"]


def test_what_migrates_is_not_kept_by_what_serves(tmp_path: Path) -> None:
    assert _said(MIGRATING, MICROBLOG_DATA_DIR=str(tmp_path)) == [".db"]


def _said(program: str, **environment: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_a_module_is_there_once_it_is_asked() -> None:
    assert Later("json").dumps([1]) == "[1]"


async def test_it_is_loaded_in_a_thread_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def load(name: str) -> None:
        threads.append(threading.current_thread())

    monkeypatch.setattr(later.importlib, "import_module", load)
    await asyncio.gather(later.load("some.module"), later.load("another.module"))
    await later.load("some.module", "another.module")
    assert len(threads) == 2
    assert threading.main_thread() not in threads
