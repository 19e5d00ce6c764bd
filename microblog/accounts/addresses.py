"""Which e-mail addresses are taken: a strict grammar of our own (SECURITY 31).

`email.utils.parseaddr` reads ``alice@example.org)bob@evil.example`` differently from one Python to
the next, so nothing here parses: an address either has exactly this shape or is refused.
"""

from __future__ import annotations

import re

from microblog.kernel.errors import N_, Invalid

LONGEST = 254
_LONGEST_LOCAL = 64
_LOCAL = re.compile(r"[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$&'*+/=?^_`{|}~-]+)*")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+{_LABEL}")

REFUSED = N_("That does not look like an e-mail address.")


def key(address: str) -> str:
    """Under which an address is unique: people do not tell Ada@ from ada@."""
    return address.lower()


def check_email(written: str) -> str:
    """The address with its domain in lower case and ASCII; raises `Invalid("email")`."""
    local, at, domain = written.strip(" \t").rpartition("@")
    if not (local or at or domain):
        raise Invalid("email", N_("Tell us your e-mail address."))
    ascii_domain = _in_ascii(domain)
    address = f"{local}@{ascii_domain}"
    fits = len(local) <= _LONGEST_LOCAL and len(address) <= LONGEST
    if not (fits and _LOCAL.fullmatch(local) and _is_domain(ascii_domain)):
        raise Invalid("email", REFUSED)
    return address


def _in_ascii(domain: str) -> str:
    """IDNA; "" for what is none."""
    if len(domain) > LONGEST:
        return ""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


def _is_domain(domain: str) -> bool:
    return _DOMAIN.fullmatch(domain) is not None and not domain.rpartition(".")[2].isdigit()
