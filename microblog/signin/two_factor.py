"""A second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

A code counts for its half minute and the ones beside it, and once: the step used last is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
from sqlalchemy import delete, func, or_, select, update

from microblog.kernel import tokens
from microblog.kernel.clock import now
from microblog.kernel.errors import N_, Conflict, Invalid
from microblog.kernel.model import Session
from microblog.kernel.sealing import Seal, SealBroken
from microblog.mail import outbox
from microblog.signin.actions import end_others
from microblog.signin.model import RecoveryCode, SecondFactor, SignInStep

STEP = 30  # seconds
CODES = 10
# No letters that look like digits; sixteen of these are 79 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

WRONG = N_("That code is not right, or was used before. Wait for the next one.")
ALREADY = N_("Two-factor sign-in is on already.")


@dataclass(frozen=True, slots=True)
class State:
    since: datetime | None  # None: off
    codes_left: int


async def state(session: Session, account_id: int) -> State:
    mine = SecondFactor.account_id == account_id
    since = await session.scalar(select(SecondFactor.confirmed_at).where(mine))
    left = select(func.count()).where(RecoveryCode.account_id == account_id)
    return State(since, await session.scalar(left) or 0)


async def is_on(session: Session, account_id: int) -> bool:
    return (await state(session, account_id)).since is not None


async def begin(session: Session, seal: Seal, account_id: int) -> None:
    """A secret to be confirmed with a code; one that never was is replaced."""
    if await is_on(session, account_id):
        raise Conflict("code", ALREADY)
    await session.execute(delete(SecondFactor).where(SecondFactor.account_id == account_id))
    sealed = seal.close(pyotp.random_base32().encode(), _about(account_id))
    session.add(SecondFactor(account_id=account_id, secret=sealed))
    await session.flush()


async def secret_to_confirm(session: Session, seal: Seal, account_id: int) -> str | None:
    """In base 32, as apps take it."""
    mine = await session.get(SecondFactor, account_id)
    return _secret(seal, mine) if mine is not None and mine.confirmed_at is None else None


async def turn_on(
    session: Session, seal: Seal, account_id: int, session_id: int, code: str
) -> list[str]:
    """The app shows the right code: from now on it is asked for.  New recovery codes.

    Other devices are signed out: whoever sits there has shown no code.
    """
    mine = await session.get(SecondFactor, account_id)
    if mine is not None and mine.confirmed_at is not None:
        raise Conflict("code", ALREADY)
    if mine is None or not await _is_next(session, seal, mine, _typed(code)):
        raise Invalid("code", WRONG)
    mine.confirmed_at = now()
    await end_others(session, account_id, session_id)
    await _tell(session, account_id, "on")
    return await _new_codes(session, account_id)


async def check(session: Session, seal: Seal, account_id: int, code: str) -> bool:
    """Whether it is the code of the moment or an unused recovery code; it is used up."""
    mine, typed = await session.get(SecondFactor, account_id), _typed(code)
    if mine is None or mine.confirmed_at is None:
        return False
    return await _is_next(session, seal, mine, typed) or await _is_recovery(session, mine, typed)


async def renew_codes(session: Session, account_id: int) -> list[str]:
    """Ten new recovery codes; the old ones stop working."""
    if not await is_on(session, account_id):
        raise Conflict("", N_("Two-factor sign-in is off."))
    await _tell(session, account_id, "codes")
    return await _new_codes(session, account_id)


async def turn_off(session: Session, account_id: int) -> None:
    if await _forget(session, account_id):
        await _tell(session, account_id, "off")


async def reset(session: Session, account_id: int) -> None:
    """By an administrator, who tells them, for somebody who has lost phone and recovery codes."""
    await _forget(session, account_id)


async def _is_next(session: Session, seal: Seal, mine: SecondFactor, typed: str) -> bool:
    """Of two who send the same code at once, one gets True."""
    secret = _secret(seal, mine)
    if secret is None or len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return False
    current, totp = int(now().timestamp()) // STEP, pyotp.TOTP(secret)
    matching = [
        step
        for step in (current - 1, current, current + 1)
        if tokens.same(totp.generate_otp(step), typed)
    ]
    if not matching:
        return False
    unused = or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < matching[0])
    used = update(SecondFactor).where(SecondFactor.account_id == mine.account_id, unused)
    used = used.values(last_step=matching[0]).returning(SecondFactor.account_id)
    return await session.scalar(used) is not None


async def _is_recovery(session: Session, mine: SecondFactor, typed: str) -> bool:
    used = delete(RecoveryCode).where(
        RecoveryCode.account_id == mine.account_id, RecoveryCode.code_hash == tokens.digest(typed)
    )
    if await session.scalar(used.returning(RecoveryCode.account_id)) is None:
        return False
    await _tell(session, mine.account_id, "used")
    return True


async def _new_codes(session: Session, account_id: int) -> list[str]:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(CODES)]
    session.add_all(RecoveryCode(account_id=account_id, code_hash=tokens.digest(c)) for c in codes)
    await session.flush()
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


async def _forget(session: Session, account_id: int) -> bool:
    """Whether it was on."""
    was_on = await is_on(session, account_id)
    for of_mine in (RecoveryCode, SecondFactor, SignInStep):
        await session.execute(delete(of_mine).where(of_mine.account_id == account_id))
    return was_on


async def _tell(session: Session, account_id: int, change: str) -> None:
    told = {"account_id": account_id, "change": change, "at": now().isoformat()}
    await outbox.enqueue(session, "two_factor", told)


def _secret(seal: Seal, mine: SecondFactor) -> str | None:
    """None when the site's key was lost: recovery codes still work."""
    try:
        return seal.open(mine.secret, _about(mine.account_id)).decode()
    except SealBroken:
        return None


def _about(account_id: int) -> str:
    return f"second factor of {account_id}"


def _typed(code: str) -> str:
    """Without the spaces and hyphens that make codes readable."""
    return "".join(code.split()).replace("-", "").lower()
