"""The time of day, always aware and in UTC.  Durations inside one process use `time.monotonic`."""

import time
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(minutes=1)  # that clocks are set by every now and then
DOUBT = 6 * 3600.0  # s for which a clock set forward may still be set back


def now() -> datetime:
    return datetime.now(UTC)


class Doubtful:
    """A clock that is not believed at once when it is set forward: whatever it says in between has
    not passed.  After hours it is: it was the start that was wrong, as without a battery."""

    def __init__(self) -> None:
        self._began, self._began_at = time.monotonic(), now()
        self._ahead_since: float | None = None

    def now(self) -> datetime:
        moment, said = time.monotonic(), now()
        passed = self._began_at + timedelta(seconds=moment - self._began)
        if said <= passed + TOLERANCE:
            self._ahead_since = None
        elif self._ahead_since is None:
            self._ahead_since = moment
        elif moment - self._ahead_since > DOUBT:
            self._began, self._began_at, self._ahead_since = moment, said, None
            return said
        return min(said, passed)


_doubtful = Doubtful()


def believed() -> datetime:
    """The time of day, unless the clock has been set forward of late: then no later than what has
    really passed.  For what cannot be taken back (SECURITY R19)."""
    return _doubtful.now()
