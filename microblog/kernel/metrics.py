"""What this process counts for Prometheus; `web.metrics` shows it at ``/metrics``.

Every label is one of a short list: a route's rule and never a path, a close code of ours, the name
of a loop.  So the number of series is bounded by the program, whatever visitors send.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from microblog.kernel.clock import now

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series each for what nobody asks
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, CPU seconds, open files

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def _counter(name: str, says: str, *labels: str) -> Counter:
    return Counter(f"microblog_{name}", says, labels, registry=REGISTRY)


def _histogram(name: str, says: str, *labels: str) -> Histogram:
    return Histogram(f"microblog_{name}", says, labels, buckets=_QUICK, registry=REGISTRY)


REQUESTS = _counter("requests", "Answers given.", "method", "route", "status")
REQUEST_SECONDS = _histogram(
    "request_seconds", "From a request's headers to its answer's.", "method", "route"
)
HANDSHAKES = _counter("live_handshakes", "Sockets asked for, 101: opened.", "status")
LIVE_SECONDS = _histogram(
    "live_delivery_seconds",
    "From the writing of an event, before its commit, until this process has handed it to the"
    " last of its sockets.",
)
LIVE_MESSAGES = _counter("live_messages", "Messages handed to open sockets, one each.")
LIVE_CLOSES = _counter("live_closes", "Sockets closed by us; 1013: too slow.", "code")
LOOP_FAILURES = _counter("loop_failures", "Steps of a loop that failed.", "loop")
DATABASE_ERRORS = _counter(
    "database_errors", "Blocks that failed: database away, locked or full.", "access"
)


def answered(method: str, route: str, status: int, seconds: float) -> None:
    method = method if method in METHODS else "other"
    REQUESTS.labels(method, route, f"{status // 100}xx").inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)


def delivered(written_at: Iterable[datetime]) -> None:
    """Events that have just reached the sockets of this process.

    Hosts whose clocks differ are off by that; what came from the future counts as at once.
    """
    moment = now()
    for at in written_at:
        LIVE_SECONDS.observe(max(0.0, (moment - at).total_seconds()))


class OfWorker:
    """`REGISTRY` and `more` collectors, every sample marked with the worker that took it."""

    def __init__(self, worker: str, more: Iterable[Any]) -> None:
        self._worker = {"worker": worker}
        self._parts = (REGISTRY, *more)

    def collect(self) -> Iterable[Any]:
        for part in self._parts:
            for family in part.collect():
                family.samples = [
                    sample._replace(labels=sample.labels | self._worker)
                    for sample in family.samples
                ]
                yield family
