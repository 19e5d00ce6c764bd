"""Every list has a bound and a way on: all pages of a site with very much of everything
(SECURITY 42)."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update

from microblog.accounts.model import Account, Ban
from microblog.admissions.model import Application, Invitation
from microblog.follows.model import Follow, FollowRequest
from microblog.kernel.clock import now
from microblog.moderation.model import Appeal, Entry, Report
from microblog.notifications.model import Notification
from microblog.posts.model import Post, Revision, Tag
from microblog.signin.model import LoginSession
from tests.world import World

VERY_MANY = 130
MOST = 101  # a page of replies, and the post they answer
ROW = re.compile(r"<(?:li|tr|article|details|option)\b")

# What is a list of rows without end, and where its page ends.
LISTS = {
    "/", "/explore", "/tags/very", "/@susan1", "/@susan1/followers", "/@susan1/following",
    "/@susan1/1000", "/@susan1/1000/history", "/notifications", "/follow-requests",
    "/settings/sessions", "/settings/invitations", "/about/moderation", "/admin/people",
    "/admin/reports", "/admin/reports?show=closed", "/admin/log", "/admin/bans", "/admin/appeals",
    "/admin/applications", "/admin/invitations",
}  # fmt: skip
# The newest only, and enough: earlier versions, devices, and what waits for a decision.
NO_WAY_ON = {"/@susan1/1000/history", "/settings/sessions", "/admin/appeals"}


async def test_no_page_shows_more_than_a_hundred_of_anything(world: World) -> None:
    susan = await world.person("susan1")
    async with world.db.writing() as session:
        mine = update(Account).where(Account.id == susan.id)
        await session.execute(mine.values(role="administrator"))
    routes = {rule.rule for rule in world.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    asked = {path for path in routes if "<" not in path and not path.startswith("/dev/")} | LISTS
    few = {path: rows(await (await susan.get(path)).get_data(as_text=True)) for path in asked}
    await fill(world, susan.id)
    for path in sorted(asked):
        page = await (await susan.get(path)).get_data(as_text=True)
        grown = max((rows(page) - few[path]).values(), default=0)
        assert grown <= MOST, (path, grown)
        assert grown >= 20 or path not in LISTS, (path, grown)
        assert re.search(r"[?;](?:before|after)=\d+", page) or path not in LISTS - NO_WAY_ON, path


def rows(page: str) -> Counter[str]:
    return Counter(ROW.findall(page))


async def fill(world: World, me: int) -> None:
    many = range(1000, 1000 + VERY_MANY)
    soon = now() + timedelta(days=365)
    made: dict[Any, list[dict[str, Any]]] = {
        Account: [{"id": n, "name": f"p{n}", "name_key": f"p{n}"} for n in many],
        Post: [{"id": n, "author_id": me, "body": "#very", "created_at": now(), "version": 150,
                "root_id": 1000, "in_reply_to_id": 1000 if n > 1000 else None} for n in many],
        Revision: [{"post_id": 1000, "version": n - 999, "body": f"{n}", "at": now()}
                   for n in many],
        Tag: [{"post_id": n, "tag": "very"} for n in many],
        Follow: [{"follower_id": n, "followed_id": me} for n in many]
        + [{"follower_id": me, "followed_id": n} for n in many],
        Notification: [{"account_id": me, "kind": "follow", "about": f"follow {n}", "actor_id": n}
                       for n in many],
        LoginSession: [{"id": n, "account_id": me, "token_hash": f"{n}", "expires_at": soon}
                       for n in many],
        Invitation: [{"id": n, "account_id": me, "most": 1, "expires_at": soon} for n in many],
        Application: [{"id": n, "name": f"a{n}", "email": f"a{n}@example.org",
                       "email_key": f"a{n}@example.org", "reason": "Please."} for n in many],
        Ban: [{"kind": "name", "value": f"x{n}"} for n in many],
        Entry: [{"id": n, "actor_id": me, "act": "silence", "account_id": n, "before": {},
                 "after": {}, "is_public": True} for n in many],
        Appeal: [{"entry_id": n, "words": "No."} for n in many],
        Report: [{"reporter_id": me, "account_id": n, "category": "spam", "words": "",
                  "quoted": "", "closed_at": closed, "closed_by_id": None,
                  "outcome": "dismiss" if closed else None}
                 for closed in (None, now()) for n in many],
        FollowRequest: [{"follower_id": n, "followed_id": me} for n in many],
    }  # fmt: skip
    async with world.db.writing() as session:
        for table, values in made.items():
            await session.execute(insert(table), values)
