"""What commands do on a terminal, and only there: show how far they are, and ask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path

from microblog.commands.progress import Bar
from tests.commands.conftest import Microblog, contents, lively
from tests.databases import Databases
from tests.process import ROOT


class Screen:
    def __init__(self, *, terminal: bool) -> None:
        self.shown = ""
        self.isatty = lambda: terminal

    def write(self, text: str) -> None:
        self.shown += text

    def flush(self) -> None:
        pass


def test_the_bar_is_drawn_over_and_wiped_at_the_end() -> None:
    screen = Screen(terminal=True)
    bar = Bar(screen)
    bar("posts", 500, 1000)
    assert "posts" in screen.shown
    assert "█" * 15 + "░" * 15 in screen.shown
    assert "500 of 1,000" in screen.shown
    drawn = screen.shown
    bar("posts", 501, 1000)  # too soon to be drawn again
    assert screen.shown == drawn
    bar.end()
    assert screen.shown.endswith("\r\x1b[K")


def test_nobody_watching_nothing_is_drawn() -> None:
    screen = Screen(terminal=False)
    bar = Bar(screen)
    bar("posts", 500, 1000)
    bar.end()
    assert screen.shown == ""


async def test_before_a_site_is_replaced_a_person_is_asked(
    microblog: Microblog, databases: Databases, tmp_path: Path
) -> None:
    async with databases.new("sqlite", tmp_path) as url:  # nothing here is asked of the database
        await lively(url)
        file = tmp_path / "backup.zip"
        assert (await microblog("backup", file, database_url=url)).status == 0
        before = await contents(url)
        asked = await asyncio.to_thread(_restore, file, url, tmp_path / "data", "no\n")
        assert "Replace it?" in asked
        assert await contents(url) == before
        agreed = await asyncio.to_thread(_restore, file, url, tmp_path / "data", "yes\n")
        assert "This is the site as of" in agreed
        assert (await contents(url))["log_epoch"] != before["log_epoch"]


def _restore(file: Path, url: str, data: Path, answer: str) -> str:
    """What a person at a terminal sees who types `answer`."""
    terminal, theirs = pty.openpty()
    settings = {"MICROBLOG_DATABASE_URL": url, "MICROBLOG_DATA_DIR": str(data)}
    process = subprocess.Popen(
        [sys.executable, "-m", "microblog", "restore", file], cwd=ROOT, env=os.environ | settings,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    os.write(terminal, answer.encode())  # it waits in the terminal until somebody reads
    seen = b""
    with contextlib.suppress(OSError):  # it hangs up at the end
        while said := os.read(terminal, 4096):
            seen += said
    os.close(terminal)
    process.wait(30)
    return seen.decode(errors="replace")
