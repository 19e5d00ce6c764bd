"""The time of day, always aware and in UTC.  Durations inside one process use `time.monotonic`."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
