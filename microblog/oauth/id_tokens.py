"""ID tokens (OpenID Connect Core §3.1.3.7), held against the provider's published keys only.

Nothing in the token chooses how it is checked: not its `alg` beyond our list (no `none`, no HMAC
with a key that everybody can read), and no key that it carries itself (SECURITY H16, 22).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from microblog.kernel import clock, tokens
from microblog.kernel.later import Later
from microblog.oauth.failures import Doubtful

if TYPE_CHECKING:
    from joserfc import errors, jwk, jws, jwt
else:
    errors, jwk = Later("joserfc.errors"), Later("joserfc.jwk")
    jws, jwt = Later("joserfc.jws"), Later("joserfc.jwt")

LEEWAY = 120  # seconds that clocks may differ by
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519",
)  # fmt: skip


def header(token: str) -> dict[str, Any]:
    """Not yet to be believed: which algorithm and key it says it was signed with."""
    part = token.split(".")[0]
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Doubtful("the ID token cannot be read") from error
    if not isinstance(found, dict) or found.get("alg") not in ALGORITHMS:
        raise Doubtful("the ID token's algorithm is not allowed")
    return found


def signed(token: str, keys: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims, if one of `keys` signed them."""
    said = header(token)
    kind = _KINDS[said["alg"][:2]]
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
    for key in keys:
        fits = key.get("kty") == kind and key.get("use", "sig") == "sig"
        if not fits or said.get("kid", key.get("kid")) != key.get("kid"):
            continue
        try:
            return dict(jwt.decode(token, _key(kind, key), registry=registry).claims)
        except (errors.JoseError, ValueError):
            continue
    raise Doubtful("no key of the provider signed the ID token")


def _key(kind: str, given: Mapping[str, Any]) -> jwk.RSAKey | jwk.ECKey | jwk.OKPKey:
    kinds: dict[str, type[jwk.RSAKey | jwk.ECKey | jwk.OKPKey]] = {
        "RSA": jwk.RSAKey, "EC": jwk.ECKey, "OKP": jwk.OKPKey,
    }  # fmt: skip
    return kinds[kind].import_key(dict(given))


def check(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    alg: str,
) -> None:
    """Raises `Doubtful` unless they are by `issuer`, for us, for this journey, and of now."""
    moment = clock.now().timestamp()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    facts = {
        "issuer": claims.get("iss") == issuer,
        "audience": client_id in audiences,
        "authorized party": claims.get("azp", client_id if len(audiences) == 1 else None)
        == client_id,
        "expiry": _number(claims, "exp") > moment - LEEWAY,
        "time of issue": _number(claims, "iat") < moment + LEEWAY,
        "nonce": tokens.same(str(claims.get("nonce", "")), nonce),
        "subject": isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= 255,
        "access token": "at_hash" not in claims
        or tokens.same(str(claims["at_hash"]), _half_hash(access_token, alg)),
    }
    for fact, holds in facts.items():
        if not holds:
            raise Doubtful(f"the ID token's {fact} is wrong")


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Doubtful(f"the ID token has no {name}")
    return float(value)


def _half_hash(access_token: str, alg: str) -> str:
    size = "512" if alg == "Ed25519" else alg[2:]
    full = hashlib.new(f"sha{size}", access_token.encode()).digest()
    return base64.urlsafe_b64encode(full[: len(full) // 2]).rstrip(b"=").decode()
