"""What the workers of one machine count together, so that N of them allow no more than one.

A small SQLite file that is not to last: 0.1 ms for what would take a server of its own otherwise,
and its locks end with whoever holds them.  What cannot be counted together, because the file is
held up or its disk is full, is `None`, and whoever asks counts alone.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from microblog.kernel.sqlite import into_wal

log = logging.getLogger(__name__)

PATIENCE = 0.2  # seconds for others to let go of the file
AT_FIRST = 5.0  # the same while nobody is served yet: who gives up then counts alone for good
SWEEP = 300.0  # seconds between two looks for hits that count no more

_TABLES = """
CREATE TABLE IF NOT EXISTS hits (name TEXT NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS hits_by_name ON hits (name, until);
CREATE TABLE IF NOT EXISTS places (
    name TEXT NOT NULL, worker INTEGER NOT NULL, taken INTEGER NOT NULL,
    PRIMARY KEY (name, worker)
) WITHOUT ROWID;
"""
_TAKE = "INSERT INTO places VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET taken = excluded.taken"
_TAKEN = "SELECT sum(taken) FROM places WHERE name = ? AND worker <> ?"

Answer = TypeVar("Answer")


class Shared:
    """`worker` is the number of this process among those that have the same `file`."""

    def __init__(self, file: Path, worker: int) -> None:
        self._worker = worker
        self._places: Counter[str] = Counter()
        self._untold: set[str] = set()
        self._swept = time.monotonic()
        self._file = sqlite3.connect(file, timeout=AT_FIRST, isolation_level=None)
        into_wal(lambda pragma: self._file.execute(pragma).close(), AT_FIRST, time.sleep)
        self._file.execute("PRAGMA synchronous=OFF").close()  # whole after a kill -9 as well
        self._file.executescript(_TABLES)
        # Of whoever had the number before and did not live to give them back.
        self._file.execute("DELETE FROM places WHERE worker = ?", (worker,)).close()
        self._file.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}").close()

    @classmethod
    def opened(cls, file: Path, worker: int) -> Shared | None:
        """None where it cannot be: a full disk, or a /tmp that was swept, must not keep a worker
        from serving."""
        try:
            return cls(file, worker)
        except sqlite3.Error as error:
            log.warning("worker %d counts limits and sockets for itself alone: %s", worker, error)
            return None

    def hit(self, name: str, most: int, seconds: float) -> float | None:
        """Count one more, for so long.  Seconds until there is room, and then it is not counted."""

        def count() -> float:
            moment = time.monotonic()
            wait = self._wait(name, most, moment)
            if not wait:
                self._file.execute("INSERT INTO hits VALUES (?, ?)", (name, moment + seconds))
            self._sweep(moment)
            return wait

        return self._together(count)

    def wait(self, name: str, most: int) -> float | None:
        """Seconds until one more may come."""
        return self._together(lambda: self._wait(name, most, time.monotonic()))

    @contextmanager
    def inside(self, *names: str) -> Iterator[None]:
        """Take a place under each name, while the block lasts."""
        self._places.update(names)
        self._tell(names)
        try:
            yield
        finally:
            self._places.subtract(names)
            self._tell(names)

    def taken_elsewhere(self, name: str) -> int:
        """By the other processes, as far as can be told."""
        given = (name, self._worker)
        found = self._together(lambda: self._file.execute(_TAKEN, given).fetchone()[0])
        return int(found or 0)

    def _tell(self, names: Sequence[str]) -> None:
        """How many we have, no difference: what cannot be told now is told with the next."""
        self._untold.update(names)
        given = [(name, self._worker, self._places[name]) for name in self._untold]
        if self._together(lambda: bool(self._file.executemany(_TAKE, given))):
            self._untold.clear()
        for name in names:
            if not self._places[name]:
                del self._places[name]

    def _wait(self, name: str, most: int, moment: float) -> float:
        counting = "SELECT count(*), min(until) FROM hits WHERE name = ? AND until > ?"
        count, first = self._file.execute(counting, (name, moment)).fetchone()
        return float(first) - moment if count >= most else 0.0

    def _sweep(self, moment: float) -> None:
        if moment - self._swept >= SWEEP:
            self._swept = moment
            self._file.execute("DELETE FROM hits WHERE until <= ?", (moment,))
            self._file.execute("DELETE FROM places WHERE taken = 0")

    def _together(self, work: Callable[[], Answer]) -> Answer | None:
        """In one transaction: nobody counts between what `work` asks and what it does."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                return work()
            finally:
                self._file.execute("COMMIT")
        except sqlite3.Error as error:
            log.warning("limits cannot be counted with the other processes: %s", error)
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            return None
