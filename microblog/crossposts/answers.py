"""What a site over there made of a request, in our words: theirs are never shown or kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# Reasons, as rows keep them; templates/posts/_copies.html says them in sentences.
AWAY = "away"  # down, slow, or in trouble
BUSY = "busy"  # too much was posted there lately
CONNECT = "connect"  # what we were given is not taken any more
DUPLICATE = "duplicate"
REFUSED = "refused"
UNHEARD = "unheard"  # it may be there, or not


class Outcome(Enum):
    DONE = auto()
    LATER = auto()  # nothing was done: try again
    STALE = auto()  # the access token is not taken
    REFUSED = auto()  # for good
    UNKNOWN = auto()  # it may have been done
    GONE = auto()  # nobody was asked: the post is not here any more


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    reason: str = ""
    remote_id: str = ""
    wait: float = 0.0  # seconds that were asked for


def done(remote_id: str = "") -> Answer:
    return Answer(Outcome.DONE, remote_id=remote_id)


def later(reason: str = AWAY, wait: float = 0.0) -> Answer:
    return Answer(Outcome.LATER, reason, wait=wait)


def refused(reason: str = REFUSED) -> Answer:
    return Answer(Outcome.REFUSED, reason)


STALE = Answer(Outcome.STALE, CONNECT)
UNKNOWN = Answer(Outcome.UNKNOWN, UNHEARD)
GONE = Answer(Outcome.GONE)
