"""Passwords: which are taken, and hashing them off the event loop.

Argon2id with OWASP's figures.  At most two hashes run at once, each about 40 ms of one core and
19 MiB, so a flood of sign-ins cannot stall the pages; who would wait too long is turned away.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from microblog.kernel.errors import N_, Invalid, TooMany

SHORTEST = 8
LONGEST = 1024
AT_ONCE = 2
MOST_WAITING = 64

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
# Of a random password nobody knows: comparing with it takes as long as with a real one.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1"
    "$xEwh5jpTgtO0uycrAmZfMg$eI0nnEJmXOZM6xr2jVj3X0NF8bL24pWZeM84+xE7YGk"
)
_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_REPEATED = re.compile(r"(.{1,4})\1+", re.DOTALL)

Answer = TypeVar("Answer")


async def hashed(password: str) -> str:
    return await _aside(lambda: _hasher.hash(_bytes(password)))


async def matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one; without a stored hash the answer takes as long and is no."""
    return await _aside(lambda: _verified(stored or _NOBODY, password)) and stored is not None


async def rehashed(stored: str | None, password: str) -> str | None:
    """A hash by today's figures, if the stored one was made by others."""
    if stored is None or not _hasher.check_needs_rehash(stored):
        return None
    return await hashed(password)


def check_password(password: str, name: str, email: str, site_words: Iterable[str] = ()) -> str:
    """The password as typed; raises `Invalid("password")`."""
    if len(password) < SHORTEST:
        raise Invalid("password", N_("Use at least %(least)s characters."), least=SHORTEST)
    if len(password) > LONGEST:
        raise Invalid("password", N_("Use at most %(most)s characters."), most=LONGEST)
    if _is_common(password):
        sentence = N_("Many people use this password. Choose one that is yours alone.")
        raise Invalid("password", sentence)
    words = (name, email, email.partition("@")[0], "microblog", *site_words)
    if _core(password) in {_core(word) for word in words} - {""}:
        sentence = N_("This is too close to your name or this site's. Choose something else.")
        raise Invalid("password", sentence)
    return password


def _is_common(password: str) -> bool:
    lower = password.lower()
    return lower in _common() or _REPEATED.fullmatch(lower) is not None or _is_run(lower)


def _is_run(text: str) -> bool:
    """abcdefgh, 87654321."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return steps in ({1}, {-1})


def _core(text: str) -> str:
    """What is left of a word without the digits and signs that people put around it."""
    return _EDGES.sub("", text.lower()).replace(" ", "")


@cache
def _common() -> frozenset[str]:
    path = Path(__file__).with_name("common-passwords.txt")
    return frozenset(path.read_text(encoding="utf-8").split("\n"))


def _verified(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """As typed: not normalised, not cut (SECURITY 14)."""
    return password.encode("utf-8", "surrogatepass")


async def _aside(work: Callable[[], Answer]) -> Answer:
    with _a_place():
        return await asyncio.get_running_loop().run_in_executor(_pool, work)


class _Queue:
    waiting = 0


@contextmanager
def _a_place() -> Iterator[None]:
    if _Queue.waiting >= MOST_WAITING:
        sentence = N_("Very many people are signing in just now. Try again in a few seconds.")
        raise TooMany(sentence, retry_after=5)
    _Queue.waiting += 1
    try:
        yield
    finally:
        _Queue.waiting -= 1
