"""What can be found behind a link, and how the person whose link it is hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from microblog.kernel.errors import N_
from microblog.outbound.failures import Astray, Away, OutboundFailure, TooLarge, Unsafe

WAITING = N_("Waiting to be looked at.")
VERIFIED = N_("Verified: this page links back.")
PROBLEMS: Mapping[str, str] = {
    "": N_("Not found: this page has no link with rel=me to your profile."),
    "elsewhere": N_("Not found: this address leads to another site, which does not speak for it."),
    "no page": N_("Not found: there is no web page behind this address."),
    "unsafe": N_("Could not be fetched: this address is not open to everybody."),
    "away": N_("Could not be fetched: nothing answered at this address."),
    "status": N_("Could not be fetched: the answer was an error."),
    "too large": N_("Could not be fetched: the page is larger than 1 MB."),
    "astray": N_("Could not be fetched: this address leads on more than three times."),
    "unreadable": N_("Could not be fetched: the page took too long to read."),
}
_OF_FAILURES: Mapping[type[OutboundFailure], str] = {
    Unsafe: "unsafe", Away: "away", TooLarge: "too large", Astray: "astray",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """`answered`: the page was seen, or there is none; what is not there is gone."""

    links_back: bool = False
    answered: bool = True
    problem: str = ""


LINKS_BACK = Finding(links_back=True)
NOTHING = Finding()
ELSEWHERE = Finding(problem="elsewhere")
NO_PAGE = Finding(problem="no page")
AN_ERROR = Finding(answered=False, problem="status")
UNREADABLE = Finding(answered=False, problem="unreadable")


def unreached(failure: OutboundFailure) -> Finding:
    return Finding(answered=False, problem=_OF_FAILURES[type(failure)])
