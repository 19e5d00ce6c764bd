"""Secrets that travel: random tokens, what is stored of them, and keys by purpose."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_token() -> str:
    """256 random bits, URL-safe.  Hand it out once; store only its `digest`."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256 in hex.  Enough for a token of full entropy; passwords go through Argon2."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def key_for(secret: str, purpose: str) -> bytes:
    """A 32-byte key for one purpose, so that a leak of one key opens nothing else.

    HKDF-SHA256 (RFC 5869) with an empty salt, one block.
    """
    extracted = hmac.digest(bytes(32), secret.encode(), "sha256")
    return hmac.digest(extracted, f"microblog {purpose}\x01".encode(), "sha256")


def doctors_pass(secret: str) -> str:
    """It opens what a site says of its own health, and nothing else."""
    return sign(key_for(secret, "doctor"), "health")


def sign(key: bytes, message: str) -> str:
    """160 bits of HMAC-SHA256 in hex."""
    return hmac.digest(key, message.encode("utf-8", "surrogatepass"), "sha256").hex()[:40]


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
