"""Links that stop one kind of mail without signing in (RFC 8058).

A token is the account, the kind, and a signature over both and the address it was sent to.  Nothing
of it is stored, so nothing can leak from the database; it works as often as needed (mail programs
fetch links ahead, people press twice), and dies with the address.  It opens nothing but this
switch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from microblog.accounts.model import Account
from microblog.kernel import tokens
from microblog.kernel.model import Session
from microblog.mail.letters import DIGEST
from microblog.notifications.queries import KINDS

_TOKEN = re.compile(r"([0-9]{1,18})-([a-z]{1,16})-([0-9a-f]{40})")


@dataclass(frozen=True, slots=True)
class Unsubscription:
    account_id: int
    kind: str  # one of KINDS, or DIGEST
    address: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it stops.  A digest tells of every kind, so its link stops them all."""
        return KINDS if self.kind == DIGEST else (self.kind,)


def token(key: bytes, account_id: int, kind: str, address: str) -> str:
    return f"{account_id}-{kind}-{_signature(key, account_id, kind, address)}"


async def asked_by(session: Session, keys: Iterable[bytes], written: str) -> Unsubscription | None:
    """What a token asks for; None when it is not ours or its address has changed.

    `keys`: the present one, then the one before a rotation, since letters live long.
    """
    parts = _TOKEN.fullmatch(written)
    if parts is None or parts[2] not in (*KINDS, DIGEST):
        return None
    account = await session.get(Account, int(parts[1]))
    if account is None or account.email is None:
        return None
    for key in keys:
        if tokens.same(parts[3], _signature(key, account.id, parts[2], account.email)):
            return Unsubscription(account.id, parts[2], account.email)
    return None


def _signature(key: bytes, account_id: int, kind: str, address: str) -> str:
    return tokens.sign(key, f"{account_id} {kind} {address.lower()}")
