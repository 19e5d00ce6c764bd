"""The time of day, always aware and in UTC.  Durations inside one process use `time.monotonic`."""

import time
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    return datetime.now(UTC)


_BEGAN, _BEGAN_AT = time.monotonic(), now()


def believed() -> datetime:
    """The time of day, unless the clock has been set forward since this process began: no later
    than what has really passed.  For what cannot be taken back (SECURITY R19)."""
    return min(now(), _BEGAN_AT + timedelta(seconds=time.monotonic() - _BEGAN))
