"""What most processes never want is not loaded before somebody wants it."""

from __future__ import annotations

import subprocess
import sys

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
