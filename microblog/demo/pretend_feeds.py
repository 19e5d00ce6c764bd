"""What the pretend X and Facebook do with posts: they keep them, show them, and refuse them the way
the real ones do.

`moods` are what the next requests that change something meet, in turn; an empty one is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from markupsafe import escape
from quart import Quart, Response, ResponseReturnValue, jsonify, request

from microblog.crossposts import texts
from microblog.kernel.text import graphemes

SHOWN = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>A pretend {site}</title><link rel="icon" href="data:,"><h1>A pretend {site}</h1>
<p>{who}</p><p style="white-space:pre-line">{body}</p>
"""
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
X, FACEBOOK = "x", "facebook"
WINDOW = 15 * 60  # seconds


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a token is for, and what it may do."""

    site: str
    number: str
    name: str
    scope: str


@dataclass(frozen=True, slots=True)
class Kept:
    site: str
    place: str  # the number of the account or the Page
    body: str


class Feeds:
    def __init__(self, owner: Callable[[str], Owner | None], secret: str) -> None:
        """`owner` knows whose a token is; `secret` is the app's."""
        self.kept: dict[str, Kept] = {}
        self.moods: deque[str] = deque()
        self.patience = 600.0  # seconds that a request is left hanging in the mood for it,
        self.goes_on = asyncio.Event()  # or until this
        self._owner, self._secret = owner, secret
        self._ids = count(1_900_000_000_000_000_001)

    def join(self, app: Quart) -> None:
        add = app.add_url_rule
        add("/x/2/tweets", view_func=self.tweet, methods=["POST"])
        add("/x/2/tweets/<tweet_id>", view_func=self.untweet, methods=["DELETE"])
        add("/x/i/status/<tweet_id>", view_func=self.show_tweet)
        add("/x/i/user/<number>", view_func=self.show_account)
        add("/facebook/<page_id>/feed", view_func=self.write, methods=["POST"])
        add("/facebook/<post_id>", view_func=self.unwrite, methods=["DELETE"])
        add("/facebook/www/<number>", view_func=self.show_page)

    def at(self, site: str) -> list[str]:
        """All that is there, oldest first."""
        return [one.body for one in self.kept.values() if one.site == site]

    # -- X -------------------------------------------------------------------------------------

    async def tweet(self) -> ResponseReturnValue:
        refusal, owner = self._x_refusal(), self._bearer(X)
        if refusal is not None or owner is None:
            return refusal or _x(401, "Unauthorized", "Unauthorized")
        said = await request.get_json(silent=True)
        body = said.get("text") if isinstance(said, dict) else None
        if not isinstance(body, str) or texts.weigh(body) > texts.LIMIT:
            return _x(400, "Invalid Request", "One or more parameters to your request was invalid.")
        if Kept(X, owner.number, body) in self.kept.values():
            return _x(403, "Forbidden", DUPLICATE)
        return await self._kept_tweet(owner, body)

    async def _kept_tweet(self, owner: Owner, body: str) -> ResponseReturnValue:
        tweet_id = str(next(self._ids))
        self.kept[tweet_id] = Kept(X, owner.number, body)
        told = {"id": tweet_id, "text": body, "edit_history_tweet_ids": [tweet_id]}
        return await self._oddly() or (jsonify({"data": told}), 201, _window(remaining=99))

    async def untweet(self, tweet_id: str) -> ResponseReturnValue:
        refusal, owner = self._x_refusal(), self._bearer(X)
        if refusal is not None or owner is None:
            return refusal or _x(401, "Unauthorized", "Unauthorized")
        found = self.kept.get(tweet_id)
        if found is None or found.place != owner.number:
            return _x(403, "Forbidden", "You are not permitted to perform this action.")
        del self.kept[tweet_id]
        return await self._oddly() or jsonify({"data": {"deleted": True}})

    async def show_tweet(self, tweet_id: str) -> ResponseReturnValue:
        found = self.kept.get(tweet_id)
        return self._shown("X", [found] if found else [])

    async def show_account(self, number: str) -> ResponseReturnValue:
        return self._shown("X", [one for one in self.kept.values() if one.place == number])

    def _x_refusal(self) -> ResponseReturnValue | None:
        if mood := self._mood(*_X_MOODS):
            return _X_MOODS[mood]()
        owner = self._bearer(X)
        if owner is not None and "tweet.write" not in owner.scope.split():
            return _x(403, "Forbidden", "Your client app is not configured with tweet.write.")
        return None

    # -- Facebook ------------------------------------------------------------------------------

    async def write(self, page_id: str) -> ResponseReturnValue:
        refusal = self._facebook_refusal(page_id)
        if refusal is not None:
            return refusal
        message = (await request.form).get("message", "")
        if not 0 < graphemes(message) <= 63_206:
            return _graph(100, "Invalid parameter")
        if Kept(FACEBOOK, page_id, message) in self.kept.values():
            return _graph(506, "Duplicate status message")
        post_id = f"{page_id}_{next(self._ids)}"
        self.kept[post_id] = Kept(FACEBOOK, page_id, message)
        return await self._oddly() or jsonify({"id": post_id})

    async def unwrite(self, post_id: str) -> ResponseReturnValue:
        refusal = self._facebook_refusal(post_id.partition("_")[0])
        if refusal is not None:
            return refusal
        if self.kept.pop(post_id, None) is None:
            return _graph(100, "Unsupported delete request.", error_subcode=33)
        return await self._oddly() or jsonify({"success": True})

    async def show_page(self, number: str) -> ResponseReturnValue:
        """A post, or all of a Page."""
        post = self.kept.get(number)
        found = [post] if post else [one for one in self.kept.values() if one.place == number]
        return self._shown("Facebook", found)

    def _facebook_refusal(self, page_id: str) -> ResponseReturnValue | None:
        """Errors are told by a number; what is too much, and what is down, with 400 and 500."""
        mood, owner = self._mood(*_GRAPH_MOODS), self._bearer(FACEBOOK)
        if mood:
            return _GRAPH_MOODS[mood]()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        proof = hmac.digest(self._secret.encode(), token.encode(), "sha256").hex()
        if owner is None or request.args.get("appsecret_proof") != proof:
            return _graph(190, "Error validating access token", error_subcode=460)
        if owner.number != page_id:
            return _may_not()
        return None

    # -- both ----------------------------------------------------------------------------------

    async def _oddly(self) -> ResponseReturnValue | None:
        """It was done, and then the answer is late or odd."""
        match self._mood("slow", "garbage"):
            case "slow":
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.patience):
                        await self.goes_on.wait()
            case "garbage":
                return Response("<p>It works</p>", status=200, mimetype="text/html")
        return None

    def _mood(self, *those: str) -> str:
        return self.moods.popleft() if self.moods and self.moods[0] in those else ""

    def _bearer(self, site: str) -> Owner | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        owner = self._owner(token)
        return owner if owner is not None and owner.site == site else None

    def _shown(self, site: str, found: list[Kept]) -> ResponseReturnValue:
        if not found:
            return SHOWN.format(site=site, who="", body="There is nothing here."), 404
        body = "\n\n".join(one.body for one in found)
        return SHOWN.format(site=site, who=escape(found[0].place), body=escape(body))


def _x(status: int, title: str, detail: str) -> tuple[Response, int]:
    told = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    return jsonify(told), status


def _x_busy() -> ResponseReturnValue:
    return *_x(429, "Too Many Requests", "Too Many Requests"), _window(remaining=0)


def _window(*, remaining: int) -> dict[str, str]:
    reset = str(int(time.time()) + WINDOW)
    return {
        "x-rate-limit-limit": "100", "x-rate-limit-remaining": str(remaining),
        "x-rate-limit-reset": reset,
    }  # fmt: skip


def _graph(code: int, message: str, *, status: int = 400, **more: object) -> ResponseReturnValue:
    told = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
    return jsonify({"error": told | more}), status


def _may_not() -> ResponseReturnValue:
    return _graph(200, "(#200) Requires pages_manage_posts permission", status=403)


_X_MOODS: dict[str, Callable[[], ResponseReturnValue]] = {
    "down": partial(_x, 503, "Service Unavailable", "Service Unavailable"),
    "busy": _x_busy,
    "forbidden": partial(_x, 403, "Forbidden", "You are not permitted to perform this action."),
}
_GRAPH_MOODS: dict[str, Callable[[], ResponseReturnValue]] = {
    "down": partial(_graph, 2, "An unexpected error occurred.", status=500, is_transient=True),
    "busy": partial(_graph, 32, "Page request limit reached"),
    "forbidden": _may_not,
}
