"""Looks behind links, beside everything else: a few at a time, each host and each person's now and
then only, so that nobody can make this site a nuisance to another."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

from microblog.backlinks import actions, pages, queries
from microblog.backlinks.actions import Work
from microblog.backlinks.findings import (
    AN_ERROR,
    ELSEWHERE,
    LINKS_BACK,
    NO_PAGE,
    NOTHING,
    UNREADABLE,
    Finding,
    unreached,
)
from microblog.backlinks.pace import Pace
from microblog.kernel.db import Database
from microblog.kernel.model import Session
from microblog.outbound.client import Answer, Outbound
from microblog.outbound.failures import OutboundFailure

AT_ONCE = 4
PER_ACCOUNT, PER_HOST = 20, 30  # an hour
_HOUR = 3600.0
_PAGES = ("text/html", "application/xhtml+xml", "")
_GONE = (404, 410)


class LinkChecker:
    """`step` looks behind some links that are due.  `base_url` is where profiles are."""

    def __init__(self, db: Database, outbound: Outbound, base_url: str) -> None:
        self._db = db
        self._outbound = outbound
        self._base_url = base_url
        self._paces = (Pace(PER_ACCOUNT, _HOUR), Pace(PER_HOST, _HOUR))

    async def step(self) -> None:
        async with self._db.reading() as session:
            if not await queries.is_due(session):
                return
        async with self._db.writing() as session:
            taken = await actions.lease(session, AT_ONCE)
            work = [one for one in taken if await self._may_look(session, one)]
        async with asyncio.TaskGroup() as looking:
            for one in work:
                looking.create_task(self._look(one))

    async def _may_look(self, session: Session, work: Work) -> bool:
        """Counted if it may; else put off until it may."""
        keys = (str(work.account_id), urlsplit(work.url).hostname or "")
        paced = list(zip(self._paces, keys, strict=True))
        if wait := max(pace.wait(key) for pace, key in paced):
            await actions.postpone(session, work, timedelta(seconds=wait))
            return False
        for pace, key in paced:
            pace.note(key)
        return True

    async def _look(self, work: Work) -> None:
        try:
            answer = await self._outbound.get(work.url, accept="text/html")
            found = await self._judged(work, answer)
        except OutboundFailure as failure:
            found = unreached(failure)
        async with self._db.writing() as session:
            await actions.settle(session, work, found)

    async def _judged(self, work: Work, answer: Answer) -> Finding:
        if (refusal := _refused(work, answer)) is not None:
            return refusal
        links = await pages.links_of(answer.content, answer.url)
        if links is None:
            return UNREADABLE
        names = pages.names_in(links, self._base_url)
        async with self._db.reading() as session:
            is_theirs = await queries.is_one_of(session, work.account_id, names)
        return LINKS_BACK if is_theirs else NOTHING


def _refused(work: Work, answer: Answer) -> Finding | None:
    """A page speaks for its own site only: many have addresses that lead wherever the visitor
    says."""
    if answer.status != 200:
        return NO_PAGE if answer.status in _GONE else AN_ERROR
    if not pages.is_same_site(work.url, answer.url):
        return ELSEWHERE
    return None if answer.media_type in _PAGES else NO_PAGE
