"""A pretend GitHub, Facebook and X, to try their buttons without keys.

They listen on this machine only, forget everything when they stop, and have the quirks of the real
ones on which our side depends: which way the client proves itself, what an error looks like, what
is asked of PKCE, where a person's name stands, and whose e-mail address is told.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import math
import secrets
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import hypercorn.asyncio
from hypercorn.config import Config
from quart import Quart, Response, ResponseReturnValue, jsonify, redirect, request

from microblog import providers
from microblog.demo.portraits import drawn
from microblog.demo.pretend_feeds import Feeds, Owner
from microblog.kernel import tokens
from microblog.providers import Provider

TWO_HOURS = 7200  # seconds
CLIENT_ID, CLIENT_SECRET = "the-demo", secrets.token_urlsafe(24)
PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>A pretend {site}</title><link rel="icon" href="data:,"><h1>A pretend {site}</h1>
<p>Nobody is asked for a password here. Who are you?</p>
<form method="post"><p><label>Name <input name="person" value="ada" required></label></p>
{more}<p><button>Continue</button> <button name="cancel" value="1">Cancel</button></p></form>
"""
POSTING = """<p>The demo wants to post for you.
<label><input type="checkbox" name="without"> Do not let it</label></p>
"""
_WRITES = ("tweet.write", "pages_manage_posts")
SITES = {"github": "GitHub", "facebook": "Facebook", "x": "X"}


@dataclass(frozen=True, slots=True)
class Grant:
    site: str
    person: str
    redirect_uri: str
    challenge: str
    scope: str = ""
    page: str = ""  # the number of the one that a token is for, at Facebook


class Pretenders:
    """`codes`, `access` and `refresh` are what was handed out; codes and refresh work once."""

    def __init__(self) -> None:
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, Grant] = {}
        self.ends: dict[str, float] = {}  # monotonic; of access to X
        self.feeds = Feeds(self._owner, CLIENT_SECRET)
        self.app = Quart("pretenders", static_folder=None)
        add = self.app.add_url_rule
        add("/<site>/authorize", view_func=self.authorize, methods=["GET", "POST"])
        add("/<site>/token", view_func=self.token, methods=["POST"])
        add("/github/user", view_func=self.github_user)
        add("/github/user/emails", view_func=self.github_emails)
        add("/facebook/me", view_func=self.facebook_me)
        add("/x/2/users/me", view_func=self.x_me)
        add("/facebook/me/permissions", view_func=self.facebook_permissions)
        add("/facebook/me/accounts", view_func=self.facebook_pages)
        self.feeds.join(self.app)
        add("/<site>/pictures/<name>.png", view_func=self.picture)

    async def authorize(self, site: str) -> ResponseReturnValue:
        asked = request.args
        if site not in SITES or asked.get("client_id") != CLIENT_ID:
            return "Unknown application", 400
        if site == "x" and asked.get("code_challenge_method") != "S256":
            return "X wants PKCE", 400
        if request.method == "GET":
            wants = any(one in asked.get("scope", "") for one in _WRITES)
            return PAGE.format(site=SITES[site], more=POSTING if wants else "")
        sent = await request.form
        answer = {"state": asked.get("state", "")}
        if sent.get("cancel"):
            answer |= {"error": "access_denied", "error_reason": "user_denied"}
        else:
            challenge = asked.get("code_challenge", "")
            code = tokens.new_token()
            scope = asked.get("scope", "").split()
            given = [one for one in scope if not (sent.get("without") and one in _WRITES)]
            self.codes[code] = Grant(
                site, sent["person"], asked["redirect_uri"], challenge, " ".join(given)
            )
            answer["code"] = code
        fragment = "#_=_" if site == "facebook" else ""
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}{fragment}", 302)

    async def token(self, site: str) -> ResponseReturnValue:
        sent = await request.form
        grant = self._granted(site, sent)
        if grant is None:
            return _refusal(site)
        access = self._access(grant)
        told = {"access_token": access, "token_type": "bearer"}
        if "offline.access" in grant.scope.split():
            told["refresh_token"] = tokens.new_token()
            self.refresh[told["refresh_token"]] = grant
        if site == "x":
            told["scope"] = grant.scope
        if site == "github" and "application/json" not in request.headers.get("Accept", ""):
            return Response(urlencode(told), mimetype="application/x-www-form-urlencoded")
        return jsonify(told | ({} if site == "github" else {"expires_in": TWO_HOURS}))

    def _granted(self, site: str, sent: Mapping[str, str]) -> Grant | None:
        """For a code; or, at X, for a refresh token; or, at Facebook, for a token that ends."""
        match site, sent.get("grant_type"):
            case "x", "refresh_token":
                found = self.refresh.pop(sent.get("refresh_token", ""), None)
                return found if _proves(site, sent) else None
            case "facebook", "fb_exchange_token":
                found = self.access.get(sent.get("fb_exchange_token", ""))
                return found if _proves(site, sent) else None
        found = self.codes.pop(sent.get("code", ""), None)
        return found if found is not None and _holds(found, site, sent) else None

    def _access(self, grant: Grant) -> str:
        token = tokens.new_token()
        self.access[token] = grant
        if grant.site == "x":
            self.ends[token] = time.monotonic() + TWO_HOURS
        return token

    def _owner(self, token: str) -> Owner | None:
        grant = self.access.get(token)
        if grant is None or time.monotonic() > self.ends.get(token, math.inf):
            return None
        return Owner(grant.site, grant.page or str(number(grant.person)), grant.person, grant.scope)

    async def github_user(self) -> ResponseReturnValue:
        if not request.headers.get("User-Agent"):
            return "Request forbidden by administrative rules", 403
        if (grant := self._bearer("github")) is None:
            return jsonify({"message": "Bad credentials"}), 401
        shown = grant.person.title()
        picture = {"avatar_url": _picture("github", grant.person)}
        about = {"id": number(grant.person), "login": grant.person, "name": shown, "email": None}
        return jsonify(about | picture)

    async def github_emails(self) -> ResponseReturnValue:
        if (grant := self._bearer("github")) is None:
            return jsonify({"message": "Bad credentials"}), 401
        return jsonify([
            {"email": f"old-{grant.person}@example.com", "verified": False, "primary": False},
            {"email": f"{grant.person}@example.com", "verified": True, "primary": True},
        ])  # fmt: skip

    async def facebook_me(self) -> ResponseReturnValue:
        """The token may stand in the query or in a header; the proof is of the app's secret."""
        grant = self._bearer("facebook")
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        proof = hmac.digest(CLIENT_SECRET.encode(), token.encode(), "sha256").hex()
        if grant is None or request.args.get("appsecret_proof") != proof:
            return _refusal("facebook")
        picture = {"url": _picture("facebook", grant.person), "is_silhouette": False}
        about = {"id": str(number(grant.person)), "name": grant.person.title()}
        wanted = "picture" in request.args.get("fields", "")
        return jsonify(about | ({"picture": {"data": picture}} if wanted else {}))

    async def facebook_permissions(self) -> ResponseReturnValue:
        if (grant := self._bearer("facebook")) is None:
            return _refusal("facebook")
        asked = ("public_profile", "pages_show_list", "pages_manage_posts")
        given = grant.scope.split()
        return jsonify({"data": [
            {"permission": one, "status": "granted" if one in given else "declined"}
            for one in asked
        ]})  # fmt: skip

    async def facebook_pages(self) -> ResponseReturnValue:
        """With a token for each, which lasts."""
        if (grant := self._bearer("facebook")) is None:
            return _refusal("facebook")
        found = [(str(number(name)), name) for name in pages_of(grant.person)]
        return jsonify({"data": [
            {
                "id": page, "name": name, "tasks": ["ANALYZE", "CREATE_CONTENT"],
                "access_token": self._access(replace(grant, page=page)),
            }
            for page, name in found
        ]})  # fmt: skip

    async def x_me(self) -> ResponseReturnValue:
        if (grant := self._bearer("x")) is None:
            return jsonify({"title": "Unauthorized", "status": 401}), 401
        about = {"id": str(number(grant.person)), "username": grant.person}
        if "profile_image_url" in request.args.get("user.fields", ""):
            about |= {"profile_image_url": _picture("x", f"{grant.person}_normal")}
        return jsonify({"data": about | {"name": grant.person.title()}})

    async def picture(self, site: str, name: str) -> ResponseReturnValue:
        """X has several sizes of each, told apart by their names."""
        person, _, size = name.rpartition("_") if site == "x" else (name, "", "")
        content = drawn(person, 48 if size == "normal" else 400)
        return Response(content, mimetype="image/png")

    def _bearer(self, site: str) -> Grant | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = self.access.get(token)
        return grant if grant is not None and grant.site == site else None


def number(person: str) -> int:
    """The same at every start, so that a linked account stays linked."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:6])


def pages_of(person: str) -> list[str]:
    """Ada has two Pages, a hermit none."""
    if person == "hermit":
        return []
    name = person.title()
    return [f"Bakery {name}", f"Choir {name}"] if person == "ada" else [f"Bakery {name}"]


def providers_at(url: str) -> tuple[Provider, ...]:
    """As settings: the known ones, at other addresses and as other issuers."""
    keys = {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    return tuple(
        providers.preset(
            site, keys,
            issuer=f"http://pretend.invalid/{site}", authorize_url=f"{url}/{site}/authorize",
            token_url=f"{url}/{site}/token", api_url=f"{url}/{site}",
            site_url=f"{url}/facebook/www" if site == "facebook" else f"{url}/{site}",
        )
        for site in SITES
    )  # fmt: skip


def _picture(site: str, name: str) -> str:
    return f"{request.url_root}{site}/pictures/{quote(name)}.png"


@asynccontextmanager
async def listening(pretenders: Pretenders) -> AsyncIterator[str]:
    """Their address, while the block lasts."""
    config = Config()
    config.errorlog = None
    config.graceful_timeout = 1.0
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
        config.bind = [f"fd://{place.detach()}"]
    stop = asyncio.Event()

    async def until_asked() -> None:
        await stop.wait()

    serving = asyncio.ensure_future(
        hypercorn.asyncio.serve(pretenders.app, config, shutdown_trigger=until_asked)
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await asyncio.gather(serving, return_exceptions=True)


def _holds(grant: Grant, site: str, sent: Mapping[str, str]) -> bool:
    """Whether the one who has the code is the one who asked for it."""
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    facts = (
        grant.site == site,
        grant.redirect_uri == sent.get("redirect_uri"),
        not grant.challenge or grant.challenge == challenge,
        _proves(site, sent),
    )
    return all(facts)


def _proves(site: str, sent: Mapping[str, str]) -> bool:
    """X takes the secret in the header only, Facebook in the form only."""
    basic = request.authorization
    if site == "x":
        return basic is not None and (basic.username, basic.password) == (CLIENT_ID, CLIENT_SECRET)
    return (sent.get("client_id"), sent.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def _refusal(site: str) -> ResponseReturnValue:
    """GitHub says that it failed with 200, Facebook with an object where others have a word."""
    wrong: dict[str, Any] = {"error": "invalid_request", "error_description": "Value passed ..."}
    if site == "github":
        return jsonify({"error": "bad_verification_code"})
    if site == "facebook":
        wrong = {"error": {"message": "Invalid code", "type": "OAuthException", "code": 100}}
    return jsonify(wrong), 400
