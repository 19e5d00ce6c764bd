"""The believable world, written once and all at once.

Rows are written directly, dated back, where an action would date them today; and without events, so
that nobody is notified or mailed of what is long past.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from microblog.accounts import actions as accounts
from microblog.accounts import queries as people
from microblog.demo.calendar import Said, calendar
from microblog.demo.people import DEMO, DEMO_PASSWORD, Person, everyone
from microblog.follows.model import Follow
from microblog.kernel.clock import now
from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.notifications.model import Notification
from microblog.posts import text
from microblog.posts.model import Mention, Post, Revision, Tag
from microblog.settings import Settings
from microblog.signin import passwords
from microblog.site_settings.model import SiteSetting

_EDITED_AFTER = timedelta(minutes=19)
_OLD_NEWS = timedelta(hours=12)  # read by the demo account

HOUSE: Mapping[str, str | list[str]] = {
    "description": f"The demo: a small world to look around in. Sign in as {DEMO} with the password"
    f" “{DEMO_PASSWORD}”, or make an account of your own. Nothing leaves this machine.",
    "rules": [
        "Be kind: you will meet again.",
        "Say where it is from when it is not yours.",
        "Advertise nothing but bread.",
    ],
}

_Ids = Mapping[str, int]


async def seed(db: Database, settings: Settings) -> bool:
    """Write the world.  False, and nothing is done, if any of its names is taken."""
    password_hash = await passwords.hashed(DEMO_PASSWORD)
    chance = Random(41)  # noqa: S311 - always the same world, no secret
    async with db.writing() as session:
        if await people.taken_names(session, [person.name for person in everyone()]):
            return False
        today = now()
        ids = await _move_in(session, today, password_hash, settings)
        _befriend(session, ids, today, chance)
        said = await _publish(session, ids, calendar(today, chance))
        _notify(session, ids[DEMO], ids, said, today)
        await _furnish(session)
    return True


async def _furnish(session: Session) -> None:
    """What an administrator would have set, unless one has."""
    if await session.scalar(select(SiteSetting.name).limit(1)) is None:
        session.add_all(SiteSetting(name=name, value=value) for name, value in HOUSE.items())


async def _move_in(
    session: Session, today: datetime, password_hash: str, settings: Settings
) -> dict[str, int]:
    """Only the demo account can sign in; only it gets mail, and only where mails are just kept."""
    ids = {}
    for person in sorted(everyone(), key=lambda person: -person.joined):
        is_demo = person.name == DEMO
        account = await accounts.create(
            session,
            name=person.name,
            email="demo@example.org" if is_demo and not settings.smtp_url else None,
            password_hash=password_hash if is_demo else None,
            language=None if is_demo else person.language,
        )
        await accounts.edit_profile(session, account.id, display_name=person.shown, bio=person.bio)
        account.created_at = today - timedelta(days=person.joined)
        ids[person.name] = account.id
    return ids


def _befriend(session: Session, ids: _Ids, today: datetime, chance: Random) -> None:
    joined = {person.name: person.joined for person in everyone()}
    for person in everyone():
        for other in person.follows:
            days = min(joined[person.name], joined[other]) * chance.uniform(0.05, 0.95)
            at = today - timedelta(days=days)
            session.add(Follow(follower_id=ids[person.name], followed_id=ids[other], at=at))


async def _publish(session: Session, ids: _Ids, told: Iterable[Said]) -> dict[Said, Post]:
    posts: dict[Said, Post] = {}
    last = 0
    for said in told:
        last = max(int(said.at.timestamp() * 1000) << 16, last + 1)
        answered = posts[said.answers] if said.answers else None
        posts[said] = _post(last, ids[said.author], said, answered)
        if answered:
            answered.reply_count += 1
    session.add_all(posts.values())
    await session.flush()
    for said, post in posts.items():
        session.add_all(_hanging_on(post, said, ids))
    await session.flush()
    return posts


def _post(post_id: int, author_id: int, said: Said, answered: Post | None) -> Post:
    return Post(
        id=post_id,
        author_id=author_id,
        body=said.body,
        created_at=said.at,
        edited_at=said.at + _EDITED_AFTER if said.was else None,
        version=2 if said.was else 1,
        in_reply_to_id=answered.id if answered else None,
        root_id=answered.root_id if answered else post_id,
        reply_count=0,
    )


def _hanging_on(post: Post, said: Said, ids: _Ids) -> list[Mention | Tag | Revision]:
    mentioned = {ids[name] for name in text.mentions(said.body) if name in ids}
    return [
        *(Mention(post_id=post.id, account_id=one) for one in mentioned),
        *(Tag(post_id=post.id, tag=tag) for tag in text.tags(said.body)),
        *([Revision(post_id=post.id, version=1, body=said.was, at=said.at)] if said.was else []),
    ]


def _notify(
    session: Session, me: int, ids: _Ids, posts: Mapping[Said, Post], today: datetime
) -> None:
    """What the demo account was told: who followed it, and who answered; the latest is unread."""
    fans = [person for person in everyone() if DEMO in person.follows]
    news = [_of_follower(me, ids, nth, today, person) for nth, person in enumerate(fans)]
    news += [
        Notification(
            account_id=me, kind="reply", about=f"post-{post.id}", actor_id=post.author_id,
            post_id=post.id, at=said.at, read_at=said.at if said.at < today - _OLD_NEWS else None,
        )
        for said, post in posts.items()
        if said.answers and said.answers.author == DEMO and said.author != DEMO
    ]  # fmt: skip
    session.add_all(news)


def _of_follower(me: int, ids: _Ids, nth: int, today: datetime, person: Person) -> Notification:
    at = today - timedelta(days=5.5 - 1.3 * nth)
    return Notification(
        account_id=me, kind="follow", about=f"account-{ids[person.name]}",
        actor_id=ids[person.name], at=at, read_at=at,
    )  # fmt: skip
