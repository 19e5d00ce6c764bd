"""Moving windows, on a clock that the test moves: of one process, and shared by several."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from limits import parse

from microblog.kernel import shared, windows
from microblog.kernel.shared import Shared
from microblog.kernel.windows import SharedWindows, Windows

RULE = parse("2/minute")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    return moment


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[int], Shared]]:
    opened: list[Shared] = []

    def one(number: int) -> Shared:
        opened.append(Shared(tmp_path / "shared.db", number))
        return opened[-1]

    yield one
    for each in opened:  # a process keeps its own until it ends; Python 3.13 complains of it here
        each._file.close()


@pytest.fixture(params=["alone", "shared"])
def some(request: pytest.FixtureRequest, worker: Callable[[int], Shared], clock: object) -> Windows:
    return Windows() if request.param == "alone" else SharedWindows(worker(0))


def test_a_place_is_free_again_a_window_after_it_was_taken(
    some: Windows, clock: list[float]
) -> None:
    assert some.hit(RULE, "ada")
    clock[0] += 20
    assert some.hit(RULE, "ada")
    assert not some.hit(RULE, "ada")
    assert some.wait(RULE, "ada") == 40
    assert some.hit(RULE, "bob")
    clock[0] += 40
    assert some.hit(RULE, "ada")
    assert not some.hit(RULE, "ada")


def test_a_refusal_does_not_count(some: Windows, clock: list[float]) -> None:
    for _ in range(5):
        some.hit(RULE, "ada")
    clock[0] += 60
    assert some.hit(RULE, "ada")
    assert some.hit(RULE, "ada")


def test_windows_that_nobody_is_in_are_forgotten(clock: list[float]) -> None:
    alone = Windows()
    for number in range(100):
        alone.hit(RULE, f"visitor {number}")
    clock[0] += windows.SWEEP + 1
    alone.hit(RULE, "ada")
    assert len(alone._hits) == 1


def test_nor_do_they_stay_in_the_shared_file(
    worker: Callable[[int], Shared], clock: list[float]
) -> None:
    one = worker(0)
    for number in range(100):
        SharedWindows(one).hit(RULE, f"visitor {number}")
    clock[0] += shared.SWEEP + 1
    SharedWindows(one).hit(RULE, "ada")
    assert one._file.execute("SELECT count(*) FROM hits").fetchone() == (1,)


def test_two_workers_allow_no_more_than_one(worker: Callable[[int], Shared]) -> None:
    one, two = SharedWindows(worker(0)), SharedWindows(worker(1))
    assert one.hit(RULE, "ada")
    assert two.hit(RULE, "ada")
    assert not one.hit(RULE, "ada")
    assert not two.hit(RULE, "ada")
    assert two.wait(RULE, "ada") > 0
    assert one.hit(RULE, "bob")


def test_places_taken_elsewhere_are_known_and_die_with_their_worker(
    worker: Callable[[int], Shared],
) -> None:
    one, two = worker(0), worker(1)
    with one.inside("address here", "account 7"), two.inside("address here"):
        with one.inside("address here"):
            assert two.taken_elsewhere("address here") == 2
        assert (two.taken_elsewhere("account 7"), one.taken_elsewhere("account 7")) == (1, 0)
        assert one.taken_elsewhere("address here") == two.taken_elsewhere("address here") == 1
        worker(0)  # the next with this number begins with none
        assert two.taken_elsewhere("address here") == 0
    assert one.taken_elsewhere("address here") == 0
    assert not one._places


def test_a_place_whose_end_could_not_be_told_is_given_back_with_the_next(
    worker: Callable[[int], Shared], tmp_path: Path
) -> None:
    one, two = worker(0), worker(1)
    holder = sqlite3.connect(tmp_path / "shared.db", isolation_level=None)
    with one.inside("address here"):
        holder.execute("BEGIN IMMEDIATE")
    holder.close()
    assert two.taken_elsewhere("address here") == 1
    with one.inside("address there"):
        assert two.taken_elsewhere("address here") == 0
        assert two.taken_elsewhere("address there") == 1


def test_who_cannot_count_with_the_others_counts_alone(
    worker: Callable[[int], Shared], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    one = SharedWindows(worker(0))
    holder = sqlite3.connect(tmp_path / "shared.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert [one.hit(RULE, "ada") for _ in range(3)] == [True, True, False]
    assert "cannot be counted with the other processes" in caplog.text
    holder.close()


def test_without_a_place_for_the_file_a_worker_serves_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Shared.opened(tmp_path / "swept" / "shared.db", 1) is None
    assert "worker 1 counts limits and sockets for itself alone" in caplog.text
    found = Shared.opened(tmp_path / "shared.db", 1)
    assert found is not None
    found._file.close()


def test_a_worker_that_begins_waits_for_the_others_longer_than_a_request(
    worker: Callable[[int], Shared], tmp_path: Path
) -> None:
    one = worker(0)
    path = tmp_path / "shared.db"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    later = threading.Timer(2 * shared.PATIENCE, holder.close)
    later.start()
    found = Shared.opened(path, 1)
    later.join()
    assert found is not None
    found._file.close()
    patience = one._file.execute("PRAGMA busy_timeout").fetchone()
    assert patience == (1000 * shared.PATIENCE,)


def test_counting_together_costs_little(worker: Callable[[int], Shared]) -> None:
    one, began = SharedWindows(worker(0)), time.process_time()
    for number in range(1000):
        one.hit(RULE, f"visitor {number}")
    each = time.process_time() - began
    print(f"a hit takes {each:.3f} ms, goal 0.2")
    assert each < 1.0
