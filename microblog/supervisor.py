"""Several worker processes behind the same open sockets, each replaced when it ends.

    supervise(place, work, on_ready=print)        # work(number, ready) serves until SIGTERM

The workers are forks of this one process, which has loaded the program and runs nothing itself:
no event loop, no thread, no database connection.  Fresh interpreters would do too, but two of them
took 202 MiB where two forks and their parent take 150 (they share what was loaded before); a fork
is back after 0.1 s instead of 2; and it is of the same version as its siblings, even if a newer one
is being installed meanwhile.  SIGHUP therefore renews the processes and reads TLS files again, but
new code needs a new start.

SIGTERM and SIGINT drain all workers, a second one kills them.  When this process is killed, the
workers see the end of a pipe that only it held open, and drain by themselves (SECURITY H6).
"""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from microblog.server import Place, ServeError

log = logging.getLogger(__name__)

# What a worker does, given its number and what to call once it takes connections.
Work: TypeAlias = Callable[[int, Callable[[], None]], None]

STOPS = (signal.SIGTERM, signal.SIGINT)
HEARD = (*STOPS, signal.SIGHUP, signal.SIGCHLD)
PIPE = 64 * 1024  # as much as a pipe holds
STEADY = 10.0  # seconds after which an end is no longer that of a worker that cannot start
TRIES = 6  # ends in a row, 15 seconds with the pauses, before all is given up if nobody serves
LONGEST_PAUSE = 30.0
PID_BYTES = 4


@dataclass(slots=True)
class _Worker:
    number: int
    due: float  # when to start it, if it is not running
    pid: int = 0
    born: float = 0.0
    is_ready: bool = False
    failures: int = 0  # times in a row that it ended before it was steady

    @property
    def is_due(self) -> bool:
        return not self.pid and self.due <= time.monotonic()

    def send(self, number: int) -> None:
        if self.pid:
            os.kill(self.pid, number)


def supervise(place: Place, work: Work, *, on_ready: Callable[[list[str]], None]) -> None:
    """Keep `place.workers` processes until SIGTERM; `on_ready` is called when all take connections.

    Raises ServeError when they do not start, or do not stay.
    """
    _settle()
    _Parent(place, work, on_ready).run()


def _settle() -> None:
    """Be ready to fork: what threads hold would be held in the child for ever."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(timeout=5)
    gc.collect()
    gc.freeze()  # so that no collection in a child writes to pages it shares


class _Parent:
    def __init__(self, place: Place, work: Work, on_ready: Callable[[list[str]], None]) -> None:
        self._place = place
        self._work = work
        self._on_ready: Callable[[list[str]], None] | None = on_ready
        # The first begins alone: what keeps all from starting is then said once.
        self._workers = [
            _Worker(number, due=math.inf if number else 0.0) for number in range(place.workers)
        ]
        self._to_renew: list[_Worker] = []
        self._stopped = math.inf  # when the wish to stop came
        self._wrong: str | None = None
        # Nobody writes to the lifeline: all that a child can read from it is our end.
        self._child_lifeline, self._lifeline = os.pipe()
        self._announced, self._announce = os.pipe()  # pids of children that are ready
        self._signalled, self._signal = os.pipe()  # numbers of signals
        for fd in (self._announced, self._signalled, self._signal):
            os.set_blocking(fd, False)

    def run(self) -> None:
        """Each turn does what is to be done; only here are signals acted on, never in between."""
        signal.set_wakeup_fd(self._signal)
        for number in HEARD:
            signal.signal(number, lambda *_: None)
        while not self._is_stopping or any(worker.pid for worker in self._workers):
            select.select([self._announced, self._signalled], [], [], self._pause())
            for signalled in _emptied(self._signalled):
                self._heed(signalled)
            self._hear_who_is_ready()
            self._bury()
            if self._is_stopping:
                self._see_them_off()
            else:
                self._renew_one()
                self._start_those_due()
        if self._wrong is not None:
            raise ServeError(self._wrong)

    @property
    def _is_stopping(self) -> bool:
        return self._stopped < math.inf

    def _heed(self, number: int) -> None:
        # A terminal that is closed says SIGHUP too, and then nobody is left to stop us.
        stop = number in STOPS or (number == signal.SIGHUP and os.isatty(0))
        if stop and not self._is_stopping:
            self._stop()
        elif number in STOPS:
            self._end_at_once(number)
        elif number == signal.SIGHUP and not self._is_stopping:
            log.info("Renewing the workers, one after another")
            self._to_renew = list(self._workers)

    def _stop(self) -> None:
        """Have them drain.  Our own sockets close first: nobody may wait at them for nothing."""
        self._stopped = time.monotonic()
        self._place.close()
        for worker in self._workers:
            worker.send(signal.SIGTERM)

    def _end_at_once(self, number: int) -> None:
        for worker in self._workers:
            worker.send(signal.SIGKILL)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(128 + number)  # the first process of a container does not die of its own signal

    def _hear_who_is_ready(self) -> None:
        pids = _emptied(self._announced)
        for start in range(0, len(pids), PID_BYTES):
            pid = int.from_bytes(pids[start : start + PID_BYTES], "little")
            for worker in self._workers:
                worker.is_ready |= worker.pid == pid
        if self._on_ready is not None and self._workers[0].is_ready:
            for worker in self._workers:
                worker.due = 0.0
            if all(worker.is_ready for worker in self._workers):
                self._on_ready(self._place.urls)
                self._on_ready = None

    def _bury(self) -> None:
        for worker in self._workers:
            if worker.pid and (ended := os.waitpid(worker.pid, os.WNOHANG))[0]:
                worker.pid, worker.is_ready = 0, False
                self._judge(worker, os.waitstatus_to_exitcode(ended[1]))

    def _judge(self, worker: _Worker, code: int) -> None:
        end = f"Worker {worker.number} {_manner(code)}"
        if self._is_stopping:
            # One that is not ready yet, or already through, dies of the signal.
            if self._wrong is None and code not in (0, -signal.SIGTERM):
                self._wrong = f"{end} instead of stopping."
            return
        pause = _pause_after_end(worker)
        if self._on_ready is not None:
            self._give_up(f"{end} before the site was ready.")
        elif worker.failures >= TRIES and not any(other.pid for other in self._workers):
            self._give_up(f"{end}, {TRIES} times in a row, and no other is left.")
        else:
            when = f"in {pause:g} s" if pause else "at once"
            log.log(logging.WARNING if code else logging.INFO, "%s; another begins %s", end, when)

    def _give_up(self, why: str) -> None:
        self._wrong = why
        self._stop()

    def _see_them_off(self) -> None:
        if time.monotonic() >= self._stopped + self._place.patience:
            self._stopped = time.monotonic()  # once is enough, even if the kernel takes long
            for worker in self._workers:
                worker.send(signal.SIGKILL)

    def _renew_one(self) -> None:
        if self._to_renew and all(worker.is_ready for worker in self._workers):
            worker = self._to_renew.pop(0)
            worker.is_ready = False
            worker.born = -math.inf  # this end is no failure
            worker.send(signal.SIGTERM)

    def _start_those_due(self) -> None:
        for worker in self._workers:
            if worker.is_due:
                self._start(worker)

    def _start(self, worker: _Worker) -> None:
        worker.born = time.monotonic()
        # A signal meant for the child waits until the child can tell it from ours.
        signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
        try:
            worker.pid = os.fork()
        except OSError as error:
            pause = _pause_after_end(worker)
            log.error("Worker %d: %s; again in %g s", worker.number, error.strerror, pause)
            return
        else:
            if not worker.pid:
                self._become_a_child()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
        if worker.pid:
            log.info("Worker %d is process %d", worker.number, worker.pid)
        else:
            self._work(worker.number, self._say_ready)
            sys.exit(0)

    def _become_a_child(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in HEARD:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's, even when sent to the group
        for fd in (self._lifeline, self._announced, self._signalled, self._signal):
            os.close(fd)
        # A thread notices even while the event loop, or the start, is held up.
        threading.Thread(target=_follow, args=(self._child_lifeline,), daemon=True).start()

    def _say_ready(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._announce, os.getpid().to_bytes(PID_BYTES, "little"))

    def _pause(self) -> float | None:
        """Seconds until something is to be done unasked."""
        moment = min((worker.due for worker in self._workers if not worker.pid), default=math.inf)
        if self._is_stopping:
            moment = self._stopped + self._place.patience
        return None if moment == math.inf else max(0.0, moment - time.monotonic())


def _emptied(pipe: int) -> bytes:
    try:
        return os.read(pipe, PIPE)
    except BlockingIOError:
        return b""


def _pause_after_end(worker: _Worker) -> float:
    """Seconds until the next one is due: more and more, unless it had lived well."""
    lived = time.monotonic() - worker.born
    worker.failures = 1 if lived > STEADY else worker.failures + 1
    pause = 0.0 if worker.failures == 1 else min(2.0 ** (worker.failures - 2), LONGEST_PAUSE)
    worker.due = time.monotonic() + pause
    return pause


def _manner(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def _follow(lifeline: int) -> None:
    """Drain, as if asked to, when the parent is gone."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
