"""The trial of R2 would tell: a trace in which the answer overtakes the sync."""

from __future__ import annotations

from tests.faults.r02_power_loss import Seen

ASKED = (
    '10 recvfrom(8<socket:[1]>, "POST /posts HTTP/1.1\\r\\nHost"..., 65536, 0, NULL, NULL) = 300'
)
WRITTEN = '11 pwrite64(7</data/microblog.db-wal>, "\\0\\0"..., 4096, 32) = 4096'
SYNCED = "11 fdatasync(7</data/microblog.db-wal>) = 0"
BEGINS = "11 fdatasync(7</data/microblog.db-wal> <unfinished ...>"
ENDS = "11 <... fdatasync resumed>)            = 0"
FAILS = "11 <... fdatasync resumed>)            = -1 EIO (Input/output error)"
ANSWERED = '10 sendto(8<socket:[1]>, "HTTP/1.1 303 \\r\\nlocation: /"..., 400, 0, NULL, 0) = 400'


def complaints(*lines: str) -> list[str]:
    seen = Seen()
    seen.read(lines)
    assert seen.answers == lines.count(ANSWERED)
    return seen.complaints


def test_a_sync_between_the_last_write_and_the_answer_is_what_is_wanted() -> None:
    assert complaints(ASKED, WRITTEN, WRITTEN, SYNCED, ANSWERED) == []
    assert complaints(ASKED, WRITTEN, BEGINS, ENDS, ANSWERED) == []


def test_an_answer_before_the_sync_has_ended_is_told() -> None:
    early = ["answer 1 went out before the log was synced"]
    assert complaints(ASKED, WRITTEN, ANSWERED, SYNCED) == early
    assert complaints(ASKED, WRITTEN, BEGINS, ANSWERED, ENDS) == early
    assert complaints(ASKED, WRITTEN, SYNCED, WRITTEN, ANSWERED) == early
    assert complaints(ASKED, WRITTEN, BEGINS, FAILS, ANSWERED) == early
    assert complaints(ASKED, BEGINS, WRITTEN, ENDS, ANSWERED) == early


def test_a_sync_of_something_else_is_none() -> None:
    other = SYNCED.replace("-wal", "")
    assert complaints(ASKED, WRITTEN, other, ANSWERED)


def test_an_answer_for_which_nothing_was_written_is_told() -> None:
    assert complaints(WRITTEN, SYNCED, ASKED, ANSWERED) == [
        "answer 1 went out and nothing had been written"
    ]
