"""Lists of people to follow, as Mastodon and our own copies write them: CSV, one address a line.

Account address,Show boosts,Notify on new posts,Languages
ada@social.example,true,false,
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field

from microblog.accounts import names
from microblog.accounts import queries as accounts
from microblog.follows import actions, queries
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.model import Session
from microblog.kernel.text import one_line, shortened

MOST = 10_000  # people in a list
HEAD = "account address"

EMPTY = N_("There is no list in this file. Choose the CSV file that the other site gave you.")
LONG = N_("That is too long: a list may have %(most)s people. Cut it in two.")
ELSEWHERE = N_("is on another site")
UNKNOWN = N_("nobody here has that name")
YOURSELF = N_("that is you")


@dataclass(slots=True)
class Outcome:
    """What came of a list; `skipped` has what was written and why."""

    followed: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)  # private, and asked
    known: int = 0  # followed or asked before
    skipped: list[tuple[str, str]] = field(default_factory=list)


def read(content: bytes) -> list[str]:
    """The addresses in a file, each once; raises `Invalid("list")`."""
    text = content.decode("utf-8-sig", "replace").replace("\0", "")
    try:
        rows = [row[0] for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error as error:
        raise Invalid("list", EMPTY) from error
    found = dict.fromkeys(one_line(written).removeprefix("@") for written in rows)
    wanted = [written for written in found if written and written.lower() != HEAD]
    if not wanted:
        raise Invalid("list", EMPTY)
    if len(wanted) > MOST:
        raise Invalid("list", LONG, most=MOST)
    return wanted


async def follow_some(
    session: Session, account_id: int, written: Iterable[str], *, hosts: set[str], outcome: Outcome
) -> None:
    """Follow those of some addresses who are here.  `hosts` are the names of this site."""
    local = {}
    for address in written:
        name, _, host = address.partition("@")
        if host and host.lower() not in hosts:
            outcome.skipped.append((shortened(address, 80), ELSEWHERE))
        else:
            local[address] = names.key(name)
    ids = await accounts.ids_by_names(session, local.values())
    already = await queries.followed_among(session, account_id, set(ids.values()))
    for address, key in local.items():
        await _follow(session, account_id, (address, ids.get(key)), already, outcome)


async def _follow(
    session: Session,
    account_id: int,
    who: tuple[str, int | None],
    already: set[int],
    outcome: Outcome,
) -> None:
    written, found = who
    if found is None:
        outcome.skipped.append((shortened(written, 80), UNKNOWN))
    elif found == account_id:
        outcome.skipped.append((shortened(written, 80), YOURSELF))
    elif found in already:
        outcome.known += 1
    else:
        already.add(found)
        name = written.partition("@")[0]
        match await actions.follow(session, account_id, found):
            case actions.Answer.FOLLOWED:
                outcome.followed.append(name)
            case actions.Answer.REQUESTED:
                outcome.requested.append(name)
            case actions.Answer.ALREADY:
                outcome.known += 1
