"""A backup leaves the processor to the site, from its first moment (SECURITY R22)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.process import ROOT

LOADED = """
import os, sys

class Look:
    def find_spec(self, name, *_):
        if name == "microblog.commands":
            print(os.nice(0))
            sys.exit()

sys.meta_path.insert(0, Look())
sys.argv = ["microblog", "COMMAND", "x.zip"]
import microblog.__main__
"""


@pytest.mark.parametrize(("command", "more"), [("backup", 10), ("restore", 0), ("serve", 0)])
def test_a_backup_alone_yields_and_is_loaded_so(command: str, more: int) -> None:
    asked = [sys.executable, "-c", LOADED.replace("COMMAND", command)]
    said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert int(said) == min(19, os.nice(0) + more)
