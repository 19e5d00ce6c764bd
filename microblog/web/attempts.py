"""Counting failures to prove who one is; successes do not count (SECURITY 39).

Attempts at one account from one place are taken one after the other.  Otherwise a hundred sent at
the same moment would all be let through before the first has failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from microblog.kernel import tokens
from microblog.web import limits
from microblog.web.client import network, place
from microblog.web.known_devices import known_device

PER_ACCOUNT = "10/15 minutes"
PER_ADDRESS = "100/15 minutes"
CODES_A_DAY = "50/day"  # wrong ones, from devices not known: one in 7,000 finds a right one
ALL = "3000/15 minutes"  # of guesses from everywhere: what a farm of addresses can have

_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try, and the limits (rule, key) it counts against if it fails."""

    limits: tuple[tuple[str, str], ...]

    async def failed(self) -> None:
        for rule, key in self.limits:
            await limits.hit(rule, key)


@asynccontextmanager
async def sign_in_attempt(login_key: str, account_id: int | None) -> AsyncIterator[Attempt]:
    """Counted by what was typed: a limit must not tell which address belongs to which name."""
    device = known_device(account_id) if account_id is not None else None
    if device is not None:
        counted: tuple[tuple[str, str], ...] = ((PER_ACCOUNT, f"sign-in on {device}"),)
    else:
        typed = tokens.digest(login_key)
        counted = (
            (PER_ACCOUNT, f"sign-in {typed} {network()}"),
            (PER_ADDRESS, f"sign-in {place()}"),
            (ALL, "sign-in"),
        )
    async with _in_turn(counted) as attempt:
        yield attempt


@asynccontextmanager
async def password_attempt(account_id: int) -> AsyncIterator[Attempt]:
    """Of someone signed in who gives the password again."""
    async with _in_turn(((PER_ACCOUNT, f"password of {account_id}"),)) as attempt:
        yield attempt


@asynccontextmanager
async def code_attempt(account_id: int) -> AsyncIterator[Attempt]:
    """Of someone who gives a code of six digits: what a machine could guess in time."""
    device = known_device(account_id)
    counted: tuple[tuple[str, str], ...] = ((PER_ACCOUNT, f"code on {device}"),)
    if device is None:
        counted = ((PER_ACCOUNT, f"code of {account_id}"), (CODES_A_DAY, f"code of {account_id}"))
    async with _in_turn(counted) as attempt:
        yield attempt


@asynccontextmanager
async def _in_turn(counted: tuple[tuple[str, str], ...]) -> AsyncIterator[Attempt]:
    """Raises TooMany when no try is left."""
    turn = _turns.setdefault(counted[0][1], asyncio.Lock())
    async with turn:
        for rule, key in counted:
            await limits.check(rule, key)
        yield Attempt(counted)
