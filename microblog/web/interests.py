"""What this process asks the bus for: only what somebody with a page open here would see."""

from __future__ import annotations

import time

from microblog.kernel.db import FAULTS, Database
from microblog.live.hub import Hub
from microblog.timelines import interests

LONGEST = 10.0  # seconds after which new follows are looked for


class Interests:
    """Asked twice a second, it looks when other pages are open than before, or after a while."""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._topics: set[str] = set()
        self._subjects: set[str] = set()
        self._until = 0.0

    async def __call__(self) -> set[str]:
        topics = self._hub.topics_with("")
        if topics != self._topics or time.monotonic() > self._until:
            try:
                async with self._db.reading() as session:
                    self._subjects = await interests.subjects(session, topics)
            except FAULTS:
                return self._subjects  # it is asked again soon
            self._topics, self._until = topics, time.monotonic() + LONGEST
        return self._subjects
