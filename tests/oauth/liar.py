"""An OpenID provider that says whatever a test wants it to say."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import RSAKey
from quart import Quart, ResponseReturnValue, jsonify, request

from microblog.providers import Provider

KEY, OTHER_KEY = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
ACCESS = "an-access-token"


class Liar:
    """`claims` and `facts` are put over what an honest one would say; `answer` replaces the answer
    of the token endpoint, `token` the ID token."""

    def __init__(self) -> None:
        self.url = ""
        self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}
        self.about: dict[str, Any] | None = None
        self.token: Callable[[dict[str, Any]], str] = signed
        self.answer: Callable[[], Awaitable[ResponseReturnValue]] | None = None
        self.app = Quart("liar", static_folder=None)
        self.app.add_url_rule("/.well-known/openid-configuration", view_func=self.discovery)
        self.app.add_url_rule("/jwks", view_func=self.jwks)
        self.app.add_url_rule("/token", view_func=self.exchange, methods=["POST"])
        self.app.add_url_rule("/userinfo", view_func=self.userinfo)

    @property
    def provider(self) -> Provider:
        return Provider("club", "oidc", "The club", self.url, "us", "secret")

    async def discovery(self) -> ResponseReturnValue:
        honest = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
        }
        return jsonify(honest | self.facts)

    async def jwks(self) -> ResponseReturnValue:
        public = KEY.as_dict(private=False) | {"kid": "one", "use": "sig"}
        strange = {"kty": "new", "kid": "two"}
        secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "one"}
        return jsonify({"keys": [strange, "nonsense", secret, public]})

    async def exchange(self) -> ResponseReturnValue:
        if self.answer is not None:
            return await self.answer()
        told: dict[str, Any] = {"access_token": ACCESS, "token_type": "Bearer"}
        written = self.token(self.said())
        return jsonify(told | ({"id_token": written} if written else {}))

    async def userinfo(self) -> ResponseReturnValue:
        if request.headers.get("Authorization") != f"Bearer {ACCESS}":
            return "", 401
        return jsonify(self.about or {"sub": "1815"})

    def said(self) -> dict[str, Any]:
        moment = int(time.time())
        honest = {
            "iss": self.url, "sub": "1815", "aud": "us", "exp": moment + 300, "iat": moment,
            "nonce": self.nonce, "email": "ada@lovelace.example", "email_verified": True,
            "name": "Ada Lovelace", "preferred_username": "ada",
        }  # fmt: skip
        return {k: v for k, v in (honest | self.claims).items() if v is not None}


def signed(claims: dict[str, Any], key: RSAKey = KEY, **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"} | header, claims, key)


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def by_the_public_key(claims: dict[str, Any]) -> str:
    """HMAC with what everybody can read."""
    head = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
    mac = hashlib.new("sha256")
    mac.update(KEY.as_pem(private=False) + head.encode())
    return f"{head}.{base64.urlsafe_b64encode(mac.digest()).decode().rstrip('=')}"


def by_a_key_of_its_own(claims: dict[str, Any]) -> str:
    return signed(claims, OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False))


def with_a_critical_word(claims: dict[str, Any]) -> str:
    """Whoever does not know the word must refuse (RFC 7515 §4.1.11)."""
    said = {"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1}
    head = f"{part(said)}.{part(claims)}"
    mark = KEY.private_key.sign(head.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{head}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
