"""When nothing should be tried for a while: there is no server, or it refuses our sign-in."""

from __future__ import annotations

import logging
import time

from microblog.mail.answers import Outcome, Verdict

log = logging.getLogger(__name__)

FIRST, LONGEST = 5.0, 60.0  # without a server: 5, 10, 20, 40, 60 seconds
STOPPED = 300.0  # refused: only a person can mend it, so do not knock often


class Pause:
    """One email at a time pays for finding out; the others stay as they are."""

    def __init__(self) -> None:
        self.stopped: str | None = None
        self.trouble: str | None = None
        self._failures = 0
        self._until = 0.0

    @property
    def lasts(self) -> bool:
        return time.monotonic() < self._until

    def heed(self, verdict: Verdict) -> None:
        if verdict.no_server:
            self._begin(verdict)
        elif not self.lasts:  # and not the last word of a conversation from before the pause
            self._failures, self.stopped, self.trouble = 0, None, None

    def _begin(self, verdict: Verdict) -> None:
        self._failures += 1
        self.trouble = verdict.reason
        seconds = min(FIRST * 2 ** (self._failures - 1), LONGEST)
        if verdict.outcome in (Outcome.STOP_QUEUE, Outcome.DEAD_MESSAGE):
            seconds = STOPPED
        if verdict.outcome is Outcome.STOP_QUEUE:
            self.stopped = verdict.reason
            log.error("mail stands still, the server refuses our sign-in: %s", verdict.reason)
        else:
            log.warning("no mail server, next try in %.0f s: %s", seconds, verdict.reason)
        self._until = time.monotonic() + seconds
