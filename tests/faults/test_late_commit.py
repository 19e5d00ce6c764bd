"""The trap of R5 is real: without turns a reader does skip, and the run would tell."""

from __future__ import annotations

from pathlib import Path

from microblog.kernel.events import LoggedEvent
from tests.databases import Databases
from tests.faults import history
from tests.faults.r05_late_commit import LATER, Readers, _record, _writers


async def test_a_reader_skips_what_was_written_without_a_turn_and_commits_late(
    databases: Databases, tmp_path: Path
) -> None:
    async with databases.new("postgresql", tmp_path) as url, _writers(url) as (slow, quick):
        readers = Readers(url)
        await readers.start()
        async with slow.writing_beside() as careless:
            late = LoggedEvent(kind="PostPublished", payload={})
            careless.add(late)
            await careless.flush()
            async with quick.writing() as session:
                after = await _record(session, LATER)
            await readers.look()
        await readers.look()
        await readers.db.close()
    assert late.id < after
    assert readers.followed == [after]
    assert history.feed("the one who follows", [late.id, after], readers.followed) == [
        f"the one who follows was never told of {late.id}"
    ]
