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
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import hypercorn.asyncio
from hypercorn.config import Config
from quart import Quart, Response, ResponseReturnValue, jsonify, redirect, request

from microblog import providers
from microblog.kernel import tokens
from microblog.providers import Provider

CLIENT_ID, CLIENT_SECRET = "the-demo", secrets.token_urlsafe(24)
PAGE = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>A pretend {site}</title><h1>A pretend {site}</h1>
<p>Nobody is asked for a password here. Who are you?</p>
<form method="post"><p><label>Name <input name="person" value="ada" required></label></p>
<p><button>Continue</button> <button name="cancel" value="1">Cancel</button></p></form>
"""
SITES = {"github": "GitHub", "facebook": "Facebook", "x": "X"}


@dataclass(frozen=True, slots=True)
class Grant:
    site: str
    person: str
    redirect_uri: str
    challenge: str


class Pretenders:
    """`codes` and `access` are what was handed out; a code works once."""

    def __init__(self) -> None:
        self.codes: dict[str, Grant] = {}
        self.access: dict[str, Grant] = {}
        self.app = Quart("pretenders", static_folder=None)
        add = self.app.add_url_rule
        add("/<site>/authorize", view_func=self.authorize, methods=["GET", "POST"])
        add("/<site>/token", view_func=self.token, methods=["POST"])
        add("/github/user", view_func=self.github_user)
        add("/github/user/emails", view_func=self.github_emails)
        add("/facebook/me", view_func=self.facebook_me)
        add("/x/2/users/me", view_func=self.x_me)

    async def authorize(self, site: str) -> ResponseReturnValue:
        asked = request.args
        if site not in SITES or asked.get("client_id") != CLIENT_ID:
            return "Unknown application", 400
        if site == "x" and asked.get("code_challenge_method") != "S256":
            return "X wants PKCE", 400
        if request.method == "GET":
            return PAGE.format(site=SITES[site])
        sent = await request.form
        answer = {"state": asked.get("state", "")}
        if sent.get("cancel"):
            answer |= {"error": "access_denied", "error_reason": "user_denied"}
        else:
            challenge = asked.get("code_challenge", "")
            code = tokens.new_token()
            self.codes[code] = Grant(site, sent["person"], asked["redirect_uri"], challenge)
            answer["code"] = code
        fragment = "#_=_" if site == "facebook" else ""
        return redirect(f"{asked['redirect_uri']}?{urlencode(answer)}{fragment}", 302)

    async def token(self, site: str) -> ResponseReturnValue:
        sent = await request.form
        grant = self.codes.pop(sent.get("code", ""), None)
        if grant is None or not _holds(grant, site, sent):
            return _refusal(site)
        access = tokens.new_token()
        self.access[access] = grant
        told = {"access_token": access, "token_type": "bearer"}
        if site == "github" and "application/json" not in request.headers.get("Accept", ""):
            return Response(urlencode(told), mimetype="application/x-www-form-urlencoded")
        return jsonify(told | ({} if site == "github" else {"expires_in": 7200}))

    async def github_user(self) -> ResponseReturnValue:
        if not request.headers.get("User-Agent"):
            return "Request forbidden by administrative rules", 403
        if (grant := self._bearer("github")) is None:
            return jsonify({"message": "Bad credentials"}), 401
        shown = grant.person.title()
        return jsonify(
            {"id": number(grant.person), "login": grant.person, "name": shown, "email": None}
        )

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
        return jsonify({"id": str(number(grant.person)), "name": grant.person.title()})

    async def x_me(self) -> ResponseReturnValue:
        if (grant := self._bearer("x")) is None:
            return jsonify({"title": "Unauthorized", "status": 401}), 401
        about = {"id": str(number(grant.person)), "username": grant.person}
        return jsonify({"data": about | {"name": grant.person.title()}})

    def _bearer(self, site: str) -> Grant | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = self.access.get(token)
        return grant if grant is not None and grant.site == site else None


def number(person: str) -> int:
    """The same at every start, so that a linked account stays linked."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:6])


def providers_at(url: str) -> tuple[Provider, ...]:
    """As settings: the known ones, at other addresses and as other issuers."""
    keys = {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    return tuple(
        providers.preset(
            site, keys,
            issuer=f"http://pretend.invalid/{site}", authorize_url=f"{url}/{site}/authorize",
            token_url=f"{url}/{site}/token", api_url=f"{url}/{site}",
        )
        for site in SITES
    )  # fmt: skip


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
