"""Questions about who follows whom.  Suspended people are counted, and left out where cards are."""

from __future__ import annotations

from collections.abc import Set
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy import bindparam, func, select

from microblog.follows.model import Follow, FollowRequest
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.kernel.rows import fetch, fetch_column

_CHUNK = 500
_MANY = 2000  # from here on reading as many followers is cheaper than asking for each
MOST_WAITING = 100  # requests: counted no further

Tie: TypeAlias = bool | Literal["requested"]  # whether somebody follows, or has asked to

_FOLLOWED = select(Follow.followed_id).where(Follow.follower_id == bindparam("account_id"))
_FOLLOWERS = select(Follow.follower_id).where(Follow.followed_id == bindparam("account_id"))
_AMONG = _FOLLOWERS.where(Follow.follower_id.in_(bindparam("among", expanding=True)))
_BETWEEN = select(Follow.follower_id, Follow.followed_id).where(
    Follow.follower_id.in_(bindparam("followers", expanding=True)),
    Follow.followed_id.in_(bindparam("followed", expanding=True)),
)
_FOLLOWS = select(Follow.follower_id).where(
    Follow.follower_id == bindparam("follower_id"), Follow.followed_id == bindparam("followed_id")
)
_REQUESTED = select(FollowRequest.follower_id).where(
    FollowRequest.follower_id == bindparam("follower_id"),
    FollowRequest.followed_id == bindparam("followed_id"),
)
_COUNTS = select(
    select(func.count())
    .where(Follow.follower_id == bindparam("account_id"))
    .scalar_subquery()
    .label("following"),
    select(func.count())
    .where(Follow.followed_id == bindparam("account_id"))
    .scalar_subquery()
    .label("followers"),
)
_FOLLOWED_PAGE = (
    _FOLLOWED.where(Follow.followed_id < bindparam("before"))
    .order_by(Follow.followed_id.desc())
    .limit(bindparam("limit"))
)
_FOLLOWERS_PAGE = (
    _FOLLOWERS.where(Follow.follower_id < bindparam("before"))
    .order_by(Follow.follower_id.desc())
    .limit(bindparam("limit"))
)
_WAITING = select(FollowRequest.follower_id).where(
    FollowRequest.followed_id == bindparam("account_id")
)
_WAITING_PAGE = (
    _WAITING.where(FollowRequest.follower_id < bindparam("before"))
    .order_by(FollowRequest.follower_id.desc())
    .limit(bindparam("limit"))
)
_HOW_MANY_WAIT = select(func.count()).select_from(
    _WAITING.order_by(FollowRequest.follower_id).limit(MOST_WAITING).subquery()
)
_ASKED_AMONG = select(FollowRequest.followed_id).where(
    FollowRequest.follower_id == bindparam("account_id"),
    FollowRequest.followed_id.in_(bindparam("among", expanding=True)),
)


class Counts(NamedTuple):
    following: int
    followers: int


async def follows(session: Session, follower_id: int, followed_id: int) -> bool:
    asked = {"follower_id": follower_id, "followed_id": followed_id}
    return bool(await fetch(session, _FOLLOWS, asked))


async def requested(session: Session, follower_id: int, followed_id: int) -> bool:
    asked = {"follower_id": follower_id, "followed_id": followed_id}
    return bool(await fetch(session, _REQUESTED, asked))


async def tie(session: Session, follower_id: int, followed_id: int) -> Tie:
    if await follows(session, follower_id, followed_id):
        return True
    return "requested" if await requested(session, follower_id, followed_id) else False


async def ties_among(session: Session, account_id: int, among: Set[int]) -> dict[int, Tie]:
    """Those of `among` (a page of people) whom the account follows or has asked."""
    ties: dict[int, Tie] = {}
    if among:
        asked = {"account_id": account_id, "among": list(among)}
        ties |= dict.fromkeys(await session.scalars(_ASKED_AMONG, asked), "requested")
        ties |= dict.fromkeys(await followed_among(session, account_id, among), True)
    return ties


async def followed_ids(session: Session, account_id: int) -> set[int]:
    """Everyone whom the account follows."""
    return set(await session.scalars(_FOLLOWED, {"account_id": account_id}))


async def followed_by_any(session: Session, accounts: Set[int], limit: int) -> set[int]:
    """Whom any of these accounts follow; at most about `limit`."""
    found: set[int] = set()
    asked = list(accounts)
    for start in range(0, len(asked), _CHUNK):
        theirs = select(Follow.followed_id).distinct()
        some = theirs.where(Follow.follower_id.in_(asked[start : start + _CHUNK])).limit(limit)
        found |= set(await session.scalars(some))
        if len(found) >= limit:
            break
    return found


async def followed_among(session: Session, account_id: int, among: Set[int]) -> set[int]:
    """Those of `among` (a page of people) whom the account follows."""
    wanted = select(Follow.followed_id).where(
        Follow.follower_id == account_id, Follow.followed_id.in_(among)
    )
    return set(await session.scalars(wanted)) if among else set()


async def ties_between(
    session: Session, followers: Set[int], followed: Set[int]
) -> set[tuple[int, int]]:
    """Who follows whom, of some hundreds on either side."""
    asked = {"followers": list(followers), "followed": list(followed)}
    return {(who, whom) for who, whom in await fetch(session, _BETWEEN, asked)}


async def followers_among(session: Session, author_id: int, among: Set[int]) -> set[int]:
    """Those of `among` who follow the author; it costs as much as there are `among`."""
    if len(among) > _MANY:
        asked = {"account_id": author_id, "before": LARGEST, "limit": len(among)}
        some = set(await fetch_column(session, _FOLLOWERS_PAGE, asked))
        if len(some) < len(among):  # they are all
            return some & among
    found: set[int] = set()
    each = list(among)
    for start in range(0, len(each), _CHUNK):
        chunk = {"account_id": author_id, "among": each[start : start + _CHUNK]}
        found |= set(await fetch_column(session, _AMONG, chunk))
    return found


async def counts(session: Session, account_id: int) -> Counts:
    (found,) = await fetch(session, _COUNTS, {"account_id": account_id})
    return Counts(*found)


async def following(
    session: Session, account_id: int, *, before: int | None = None, limit: int = 50
) -> list[int]:
    """Ids of those whom the account follows, the newest account first."""
    page = {"account_id": account_id, "before": before or LARGEST, "limit": limit}
    return await fetch_column(session, _FOLLOWED_PAGE, page)


async def followers(
    session: Session, account_id: int, *, before: int | None = None, limit: int = 50
) -> list[int]:
    """Ids of those who follow the account, the newest account first."""
    page = {"account_id": account_id, "before": before or LARGEST, "limit": limit}
    return await fetch_column(session, _FOLLOWERS_PAGE, page)


async def waiting(
    session: Session, account_id: int, *, before: int | None = None, limit: int = 50
) -> list[int]:
    """Ids of those who ask to follow the account, the newest account first."""
    page = {"account_id": account_id, "before": before or LARGEST, "limit": limit}
    return await fetch_column(session, _WAITING_PAGE, page)


async def how_many_wait(session: Session, account_id: int) -> int:
    """No more than `MOST_WAITING`."""
    return await session.scalar(_HOW_MANY_WAIT, {"account_id": account_id}) or 0
