"""Whatever is asked for a page, for a socket or by a loop is a search in an index, and sorts no
more than it shows, however much there is.

Real plans on a site that has grown, on both kinds of database, with values known and unknown.
"""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from microblog.accounts import queries as accounts
from microblog.crossposts import queries as crossposts
from microblog.crossposts import queue as copying
from microblog.follows import queries as follows
from microblog.identities import queries as identities
from microblog.kernel import events
from microblog.kernel.db import Database
from microblog.kernel.events import Position
from microblog.mail import leases, outbox, throttle
from microblog.mail import queries as mail
from microblog.mail.watch import Watch
from microblog.moderation import queries as moderating
from microblog.notifications import actions as telling
from microblog.notifications import queries as notifications
from microblog.posts import queries as posts
from microblog.signin import actions as signin
from microblog.signin import queries as logins
from microblog.timelines import queries as timelines
from tests.plans.explain import Question, plans
from tests.plans.grown import BEGIN, FAMOUS, GROWN, PEOPLE, POSTS, SOCIABLE, TOLD

FEW = 7  # follows five people
HERE = Position("", POSTS)
LATE = BEGIN + timedelta(days=36_500)
BUNDLE = "account-1"

ASKED: dict[str, Question] = {
    "home of who follows few": lambda s: timelines.home(s, FEW),
    "home of who follows everybody": lambda s: timelines.home(s, SOCIABLE),
    "home, deep down": lambda s: timelines.home(s, FEW, before=POSTS // 20),
    "public": timelines.public,
    "public, deep down": lambda s: timelines.public(s, before=POSTS // 20),
    "an author": lambda s: timelines.by_author(s, 9),
    "an author, deep down": lambda s: timelines.by_author(s, 9, before=POSTS // 20),
    "a tag": lambda s: timelines.tagged(s, "t3"),
    "a tag, deep down": lambda s: timelines.tagged(s, "t3", before=POSTS // 20),
    "a conversation": lambda s: timelines.conversation(s, 3),
    "posts": lambda s: posts.views(s, range(100, 126)),
    "the root of a post": lambda s: posts.root_of(s, 77),
    "the tags of a post": lambda s: posts.tags_of(s, 77),
    "how many posts": lambda s: posts.count_by(s, 9),
    "notifications": lambda s: notifications.page(s, TOLD),
    "notifications, deep down": lambda s: notifications.page(s, TOLD, before=POSTS // 20),
    "one notification": lambda s: notifications.find(s, 77),
    "unread": lambda s: notifications.unread(s, TOLD),
    "unread of each": lambda s: notifications.unread_of_each(s, set(range(1, 101))),
    "who arrives": lambda s: notifications.arrival(s, f"h{TOLD - 1}"),
    "who arrive together": lambda s: notifications.arrivals(s, [f"h{n}" for n in range(100)]),
    "which concern me": lambda s: notifications.concerned(s, TOLD, range(100, 126)),
    "unread among": lambda s: notifications.unread_among(s, TOLD, range(100, 126)),
    "reading some": lambda s: telling.see(s, TOLD, range(100, 120), range(100, 120)),
    "cards": lambda s: accounts.cards(s, range(100, 126)),
    "a name": lambda s: accounts.by_name(s, "p77"),
    "suggestions": lambda s: accounts.suggestions(s, 7, {8, 9}, 8),
    "whether one follows": lambda s: follows.follows(s, 7, 50),
    "whom of them": lambda s: follows.followed_among(s, SOCIABLE, set(range(100, 150))),
    "who follows whom": lambda s: follows.ties_between(
        s, set(range(SOCIABLE, SOCIABLE + 100)), set(range(100, 300))
    ),
    "watching followers": lambda s: follows.followers_among(s, FAMOUS, set(range(100, 400))),
    "many watching": lambda s: follows.followers_among(s, FAMOUS, set(range(100, 2200))),
    "following": lambda s: follows.following(s, SOCIABLE, before=PEOPLE // 2),
    "followers": lambda s: follows.followers(s, FAMOUS, before=PEOPLE // 2),
    "where the log stands": events.present,
    "how far it goes back": events.reach,
    "what happened since": lambda s: events.after(s, POSTS // 2),
    "trimming the log": lambda s: events.trim(s, LATE),
    "trimming what was read": lambda s: events.trim(s, LATE, through=POSTS // 2),
    "whether mail is due": lambda s: leases.is_due(s, LATE, Watch(25.0)),
    "mail that is due": lambda s: leases.due(s, "somebody", 50, Watch(25.0)),
    "mail of the dead": lambda s: leases.release_all(s, "somebody"),
    "the oldest mail due": mail.oldest_due,
    "how much mail waits": mail.queue_depth,
    "the newest mail": mail.kept,
    "the hourly limit": lambda s: throttle.HourlyLimit(s, 10).free_at(BUNDLE),
    "forgetting old mail": lambda s: outbox.forget_settled(s, LATE),
    "who holds a token": lambda s: logins.viewer(s, "h77"),
    "which sessions last": lambda s: logins.alive(s, range(100, 150)),
    "forgetting what ran out": signin.forget_expired,
    "what waits for moderators": moderating.waiting,
    "who moderates": moderating.staff,
    "whether anybody administrates": accounts.has_administrator,
    "people, as moderators see them": moderating.people,
    "what moderators did": moderating.entries,
    "reports": moderating.reports,
    "reports about somebody": lambda s: moderating.reports_about(s, 7),
    "who asks to follow": lambda s: follows.waiting(s, FAMOUS, before=PEOPLE // 2),
    "how many ask": lambda s: follows.how_many_wait(s, FAMOUS),
    "with whom one signs in": lambda s: identities.identities_of(s, 7),
    "copies of a post": lambda s: crossposts.crossposts_of(s, 77),
    "whether copies are due": lambda s: copying.is_due(s, Watch(25.0)),
}
# Where something is sorted, and how much at most: a page of each author on a page, those whom one
# follows, a page, what waits.
A_PAGE = 50
SORTED: dict[str, float] = {
    "how much mail waits": POSTS / 500,
    "home of who follows few": 26 * 26,
    "home of who follows everybody": PEOPLE,
    "home, deep down": 26 * 26,
    "copies of a post": 5,
}


@pytest.mark.parametrize("name", ASKED)
async def test_nothing_asked_often_reads_or_sorts_it_all(grown: Database, name: str) -> None:
    asked = await plans(grown, ASKED[name])
    assert asked
    for plan in asked:
        assert [one for one in plan.scans if one not in walked(name)] == [], plan.told
        assert plan.sorted <= SORTED.get(name, 0 if grown.is_sqlite else A_PAGE), plan.told


@pytest.mark.parametrize("name", ASKED)
async def test_what_is_asked_has_grown(grown: Database, name: str) -> None:
    """Of an empty table PostgreSQL reads all, or does not, by what it last heard of it."""
    for plan in await plans(grown, ASKED[name]):
        asked = set(re.findall(r"(?:FROM|JOIN|INTO|UPDATE) ([a-z_]+)", plan.told))
        assert asked - {"log_epoch"} <= GROWN


def walked(name: str) -> set[str]:
    """What may be gone through: the log's one row, and accounts and emails, newest first, until
    there are enough."""
    newest_first = {"suggestions": "SCAN accounts", "the newest mail": "SCAN emails"}
    return {"SCAN log_epoch", "log_epoch", newest_first.get(name, "")}
