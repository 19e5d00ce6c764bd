"""What commands say to somebody who has just come, above all where something is not right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.commands.conftest import Microblog
from tests.process import ROOT

NOBODY_LISTENS = "postgresql://postgres@/microblog?host=/nowhere"


async def test_defaults_are_listed_as_one_writes_them(microblog: Microblog) -> None:
    out = (await microblog("settings")).out
    assert "MICROBLOG_MAIL_HOLD  (default: 120)" in out
    assert "MICROBLOG_SMTP_URL  (default: empty)" in out


async def test_whoever_is_to_be_an_administrator_is_named_if_nobody_has_the_name(
    microblog: Microblog,
) -> None:
    said = await microblog("admin", "promote", "@nobody")
    assert (said.status, said.err) == (1, "microblog: Nobody here is called @nobody.\n")


async def test_a_backup_into_no_directory_names_it(microblog: Microblog, tmp_path: Path) -> None:
    await microblog("migrate")
    said = await microblog("backup", tmp_path / "none" / "site.zip")
    assert said.status == 1
    assert f"There is no directory {tmp_path}/none" in said.err


async def test_a_database_that_is_away_is_what_a_command_speaks_of(microblog: Microblog) -> None:
    said = await microblog("migrate", database_url=NOBODY_LISTENS)
    assert said.status == 1
    assert said.err.startswith("microblog: The database does not answer: ")


def test_and_what_a_start_speaks_of(tmp_path: Path) -> None:
    settings = {
        "MICROBLOG_DATABASE_URL": NOBODY_LISTENS, "MICROBLOG_DATA_DIR": str(tmp_path),
        "PATH": os.environ["PATH"],
    }  # fmt: skip
    command = [sys.executable, "-m", "microblog", "serve", "--bind", "127.0.0.1:0"]
    ended = subprocess.run(
        command, check=False, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("microblog: The database does not answer: ")
    assert len(ended.stderr.splitlines()) == 1
