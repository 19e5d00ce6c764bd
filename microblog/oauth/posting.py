"""Coming home with leave to post: whose it is, and what it takes.

Signing in never asks for this.  At X it is one account; at Facebook it is the Pages that somebody
may write on, each with a token of its own, which lasts because ours was first exchanged for one
that does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microblog.kernel.errors import N_
from microblog.oauth import conversation
from microblog.oauth.conversation import Secrets
from microblog.oauth.dialects import DIALECTS, graph
from microblog.oauth.failures import Declined, Doubtful, JourneyFailed
from microblog.oauth.fetching import patiently
from microblog.oauth.vouched import Vouched
from microblog.providers import Provider

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import AsyncOAuth2Client

MOST_PAGES = 25
_WRITES = {"x": "tweet.write", "facebook": "pages_manage_posts"}


class NotAllowed(Declined):
    """They signed in over there and took the tick away."""

    message = N_("%(provider)s did not let this site post for you, so nothing was connected.")


class NoPages(JourneyFailed):
    message = N_("%(provider)s shows us no Page on which you may post. Nothing was connected.")


@dataclass(frozen=True, slots=True)
class Door:
    """Somewhere to post, and the tokens for it."""

    external_id: str
    shown: str
    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    expires_in: object = None


@dataclass(frozen=True, slots=True)
class Granted:
    who: Vouched
    doors: list[Door]


def can_post(provider: Provider) -> bool:
    """Whether there is such a thing at all."""
    dialect = DIALECTS.get(provider.kind)
    return dialect is not None and bool(dialect.posting)


async def granted(
    provider: Provider, redirect_uri: str, secrets: Secrets, answer: Mapping[str, str]
) -> Granted:
    """Raises `JourneyFailed`.  Whoever calls has compared the state."""
    code = conversation.code_in(answer)
    opened = conversation.opened(provider, redirect_uri, posting=True)
    async with patiently(), opened as session:
        token = await conversation.exchange(session, provider.token_url, secrets, code)
        who = await conversation.who(session, provider)
        if provider.kind == "x":
            return Granted(who, [_account(who, token)])
        return Granted(who, await _pages(session, provider))


def _account(who: Vouched, token: Mapping[str, Any]) -> Door:
    if _WRITES["x"] not in str(token.get("scope", "")).split():
        raise NotAllowed("without tweet.write")
    refresh = token.get("refresh_token")
    return Door(
        who.subject, f"@{who.name}", token["access_token"],
        refresh if isinstance(refresh, str) else "", token.get("expires_in"),
    )  # fmt: skip


async def _pages(session: AsyncOAuth2Client, provider: Provider) -> list[Door]:
    permissions = (await graph(session, provider, "/me/permissions"))["data"]
    given = {one["permission"] for one in permissions if one.get("status") == "granted"}
    if _WRITES["facebook"] not in given:
        raise NotAllowed("without pages_manage_posts")
    await _make_lasting(session, provider)
    fields = "id,name,access_token,tasks"
    listed = await graph(session, provider, "/me/accounts", fields=fields, limit=str(MOST_PAGES))
    doors = [_page(one) for one in listed["data"][:MOST_PAGES] if _may_write(one)]
    if not doors:
        raise NoPages("no Page")
    return doors


async def _make_lasting(session: AsyncOAuth2Client, provider: Provider) -> None:
    """For two hours only, as it comes; the tokens of Pages that are made with it would end, too."""
    form = {
        "grant_type": "fb_exchange_token", "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "fb_exchange_token": str(session.token["access_token"]),
    }  # fmt: skip
    answer = await session.request("POST", provider.token_url, withhold_token=True, data=form)
    answer.raise_for_status()
    lasting = json.loads(answer.content)["access_token"]
    session.token = {"access_token": str(lasting), "token_type": "bearer"}


def _may_write(page: Mapping[str, Any]) -> bool:
    tasks = page.get("tasks")
    return not isinstance(tasks, list) or "CREATE_CONTENT" in tasks


def _page(page: Mapping[str, Any]) -> Door:
    written, name, access = page["id"], page["name"], page["access_token"]
    if not (isinstance(written, str) and written.isascii() and written.isdigit()):
        raise Doubtful("a Page without a number")
    return Door(written[:64], str(name)[:255], str(access))
