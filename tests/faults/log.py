"""What the event log says about posts: the truth that readers are held against."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from tests.faults.database import rows


@dataclass(frozen=True)
class Logged:
    posts: list[int]  # ids of events about posts, in the order of the log
    authors: dict[int, int]  # by event
    undone: set[int]  # publications and edits of posts that were deleted later

    def of(self, authors: Collection[int]) -> list[int]:
        return [one for one in self.posts if self.authors[one] in authors]


async def logged(database: str) -> Logged:
    found = await rows(
        database, "SELECT id, kind, payload FROM events WHERE kind LIKE 'Post%' ORDER BY id"
    )
    facts = [(row[0], row[1], _payload(row[2])) for row in found]
    deleted = {fact["post_id"] for _, kind, fact in facts if kind == "PostDeleted"}
    undone = {
        event_id
        for event_id, kind, fact in facts
        if kind != "PostDeleted" and fact["post_id"] in deleted
    }
    authors = {event_id: fact["author_id"] for event_id, _, fact in facts}
    return Logged([fact[0] for fact in facts], authors, undone)


def _payload(kept: str | dict[str, int]) -> dict[str, int]:
    return kept if isinstance(kept, dict) else json.loads(kept)
