"""Secrets that rest in the database and that we must read again: sealed with a key of the site.

AES-256-GCM.  What a secret is about is sealed with it, so that one row's cannot stand in another's.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from microblog.kernel import tokens
from microblog.kernel.later import Later

if TYPE_CHECKING:
    from cryptography import exceptions
    from cryptography.hazmat.primitives.ciphers import aead
else:
    exceptions = Later("cryptography.exceptions")
    aead = Later("cryptography.hazmat.primitives.ciphers.aead")

_NONCE = 12


class SealBroken(Exception):
    """Sealed with another key, about something else, or changed since."""


@dataclass(frozen=True, slots=True)
class Seal:
    """`keys`, the newest first: it seals, and all of them open."""

    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, purpose: str, *site_secrets: str) -> Seal:
        """For one purpose, from the site's secret key and, while it is changed, the one before."""
        return cls(tuple(tokens.key_for(secret, purpose) for secret in site_secrets if secret))

    def close(self, plain: bytes, about: str) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + aead.AESGCM(self.keys[0]).encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        nonce, rest = sealed[:_NONCE], sealed[_NONCE:]
        for key in self.keys:
            try:
                return aead.AESGCM(key).decrypt(nonce, rest, about.encode())
            except (exceptions.InvalidTag, ValueError):
                continue
        raise SealBroken
