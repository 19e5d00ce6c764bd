"""What most processes never want is not loaded before somebody wants it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from microblog.kernel import later
from microblog.kernel.later import Later
from tests.process import ROOT

SELDOM = ("alembic", "authlib", "cryptography", "joserfc", "PIL", "webauthn")


def test_the_program_starts_without_what_it_seldom_needs() -> None:
    says = f"import sys, microblog.__main__; print(*sys.modules.keys() & {set(SELDOM)!r})"
    run = subprocess.run(
        [sys.executable, "-c", says], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout.split()) == (0, []), run.stderr


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
