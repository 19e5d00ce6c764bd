"""What a killed process had sent is known to whoever comes next."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from microblog.mail.answers import SENT, Verdict
from microblog.mail.journal import Journal

from .conftest import until

PROCESS = """
import sys, time
from pathlib import Path
from microblog.mail.journal import Journal
journal = Journal(Path(sys.argv[1]), "dead-1")
journal.note(3, 1)
journal.note(4, 2)
print("noted", flush=True)
time.sleep(60)
"""


def test_the_living_are_left_alone_and_the_dead_are_read_once(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "noted\n"
    here = Journal(tmp_path, "here")

    assert list(here.left_behind()) == []

    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert list(here.left_behind()) == [("dead-1", [(3, 1), (4, 2)])]
    assert list(here.left_behind()) == []


def test_notes_that_could_not_be_used_stay(tmp_path):
    (tmp_path / "dead.sent").write_text("3 1\n")
    here = Journal(tmp_path, "here")
    for _ in here.left_behind():
        break  # as when the database fails
    assert list(here.left_behind()) == [("dead", [(3, 1)])]


def test_a_torn_line_says_nothing(tmp_path):
    (tmp_path / "dead.sent").write_text("3 1\n7")
    assert list(Journal(tmp_path, "here").left_behind()) == [("dead", [(3, 1)])]


def test_what_is_settled_is_cleared_and_a_clean_end_leaves_nothing(tmp_path):
    journal = Journal(tmp_path / "mail", "here")
    journal.note(3, 1)
    assert (tmp_path / "mail" / "here.sent").read_text() == "3 1\n"
    journal.clear()
    assert (tmp_path / "mail" / "here.sent").read_text() == ""
    journal.note(4, 1)
    journal.close()
    assert list((tmp_path / "mail").iterdir()) == []


def test_without_a_folder_nothing_is_noted(tmp_path):
    journal = Journal(None, "here")
    journal.open()
    journal.note(3, 1)
    journal.clear()
    journal.close()
    assert list(journal.left_behind()) == []


def test_a_place_that_cannot_be_written_is_survived(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file", "here")
    journal.open()
    journal.note(3, 1)
    assert "cannot" in caplog.text


def test_what_fails_half_way_leaves_no_lock_and_no_open_file(tmp_path, caplog):
    """Such as on a full disk.  The next note would wait for that lock for ever."""
    (tmp_path / "here.sent").mkdir()
    journal, before = Journal(tmp_path, "here"), open_files()
    for number in range(10):
        journal.note(number, 1)
    assert open_files() == before
    assert len(caplog.records) == 10


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_killed_between_250_and_commit_no_duplicate_is_sent(office, scripted, tmp_path):
    for _ in range(3):
        await office.write()
    sender = office.sender_to(scripted, lines=1, owner="killed", journal=tmp_path / "mail")
    await dies_after(sender, scripted, 2)
    assert sorted(await office.states()) == ["leased"] * 3

    await office.sender_to(scripted, owner="next", journal=tmp_path / "mail").step()

    assert await office.states() == ["sent"] * 3
    assert len(scripted.taken) == 3
    assert len(set(scripted.message_ids)) == 3
    assert all(each.content is None for each in await office.emails())


async def test_a_dead_sender_s_leases_end_at_once(office, server, tmp_path):
    await office.write()
    await office.change(state="leased", lease_owner="dead", fence=3, tries=1)
    await office.let_time_pass(seconds=-30)
    sender = office.sender_to(server, journal=tmp_path)
    await sender.step()
    assert await office.states() == ["leased"]

    (tmp_path / "dead.sent").write_text("")
    await sender.step()
    assert await office.states() == ["sent"]
    assert list(tmp_path.glob("dead*")) == []


async def test_a_stale_note_settles_nothing(office, server, tmp_path):
    email_id = await office.write(hold=60)
    await office.change(state="queued", fence=4)
    (tmp_path / "dead.sent").write_text(f"{email_id} 4\n{email_id} 3\n99 1\n")
    await office.sender_to(server, journal=tmp_path).step()
    assert await office.states() == ["queued"]


async def dies_after(sender, scripted, messages: int) -> None:
    """Neither writes nor gives back anything any more, and its lock is gone, as with kill -9."""

    async def never(*_):
        await asyncio.Event().wait()

    add = sender._settlements.add

    async def add_and_die(lease, verdict: Verdict):
        await add(lease, verdict)
        assert verdict == SENT
        if len(scripted.taken) == messages:
            await never()

    async def nothing():
        pass

    sender._settlements.write = never
    sender._settlements.add = add_and_die
    sender._supply.give_back = nothing
    sender._settlements.write = nothing
    sender._settlements.run = never
    task = asyncio.ensure_future(sender.step())
    await until(lambda: len(sender._settlements._waiting) == messages)
    task.cancel()
    await asyncio.wait([task])
    os.close(sender._journal._file)
    sender._journal._file = None
