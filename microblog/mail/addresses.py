"""Which addresses mail is sent to and from.  Stricter than RFC 5321, on purpose.

``email.utils.parseaddr`` reads ``alice@example.org)bob@evil.example`` as Alice (SECURITY H13), so
no address is parsed here: it has the shape below or is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 254

_LOCAL = r"[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=[^@]{{1,64}}@){_LOCAL}@{_LABEL}(?:\.{_LABEL})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")


@dataclass(frozen=True, slots=True)
class Mailbox:
    name: str
    address: str


def is_address(text: str) -> bool:
    return len(text) <= LONGEST and _ADDRESS.fullmatch(text) is not None


def mail_domain(host: str) -> str:
    """`host` as the right side of addresses and Message-IDs; an IPv6 address is none."""
    return host if _DOMAIN.fullmatch(host) else "localhost"


def sender_mailbox(written: str, name: str) -> Mailbox:
    """``hello@example.org`` or ``Name <hello@example.org>``; `name` if none is written.

    Raises ValueError with a sentence for whoever wrote the setting.
    """
    named = _NAMED.fullmatch(written.strip())
    address = named["address"].strip() if named else written.strip()
    local, _, host = address.rpartition("@")
    if ":" in host:
        address = f"{local}@{mail_domain(host)}"
    if not is_address(address):
        raise ValueError(f"MICROBLOG_MAIL_FROM is not an address mail can be sent from: {written}")
    return Mailbox((named["name"].strip(' "') if named else "") or name, address)
