"""Which e-mail addresses accounts can have: a strict grammar (`mail.addresses`), a public host."""

from __future__ import annotations

from microblog.kernel.errors import N_, Invalid
from microblog.mail.addresses import LONGEST, is_address

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
    if not (is_address(address) and _is_public(ascii_domain)):
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


def _is_public(domain: str) -> bool:
    """Neither a name of one word nor an IP address."""
    return "." in domain and not domain.rpartition(".")[2].isdigit()
