"""What nobody may come with: names, domains of e-mail addresses, ranges of IP addresses.

Names and domains are refused to new accounts and new addresses; who has them keeps them.  From a
banned range nobody signs in or up.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from sqlalchemy import and_, or_, select

from microblog.accounts import names
from microblog.accounts.model import Ban
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.ids import LARGEST
from microblog.kernel.model import Session
from microblog.kernel.text import one_line

KINDS = ("name", "domain", "network")
MOST = 1000  # of a kind: they are read on every sign-in
_WIDEST = {4: 8, 6: 16}

NAME = N_("This name cannot be used here.")
DOMAIN = N_("Addresses of this provider are not taken here.")
NO_NAME = N_("That is not a name somebody could have.")
NO_DOMAIN = N_("Write a domain, such as example.org.")
NO_NETWORK = N_("Write an address or a range, such as 192.0.2.0/24.")
WIDE = N_("That range is too wide: it would shut out half of the world.")


def checked(kind: str, value: str) -> str:
    """As it is kept; raises `Invalid`."""
    value = one_line(value).lower()
    match kind:
        case "name":
            return _name(value)
        case "domain":
            return _domain(value)
        case "network":
            return _network(value)
    raise Invalid("kind", N_("Choose one of the list."))


async def refuse(session: Session, *, name: str = "", email: str | None = None) -> None:
    """Raises `Invalid` for a banned name or domain; subdomains of a banned one are banned, too."""
    domains = list(_domains(email or ""))
    asked = or_(
        and_(Ban.kind == "name", Ban.value == names.key(name)),
        and_(Ban.kind == "domain", Ban.value.in_(domains)),
    )
    found = set(await session.scalars(select(Ban.kind).where(asked)))
    if "name" in found:
        raise Invalid("username", NAME)
    if "domain" in found:
        raise Invalid("email", DOMAIN)


async def is_shut_out(session: Session, address: str) -> bool:
    """Whether an IP address is in a banned range; one that cannot be read is not."""
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(here, "ipv4_mapped", None)
    ranges = await session.scalars(select(Ban.value).where(Ban.kind == "network").limit(MOST))
    return any((mapped or here) in ipaddress.ip_network(each) for each in ranges)


async def newest(session: Session, *, before: int | None = None, limit: int = 50) -> list[Ban]:
    page = select(Ban).where(Ban.id < (before or LARGEST)).order_by(Ban.id.desc()).limit(limit)
    return list(await session.scalars(page))


def _name(value: str) -> str:
    value = value.removeprefix("@")
    if not names.is_name(value):
        raise Invalid("value", NO_NAME)
    return names.key(value)


def _domain(value: str) -> str:
    try:
        value = value.removeprefix("@").strip(".").encode("idna").decode("ascii")
    except UnicodeError:
        value = ""
    if "." not in value or any(sign in value for sign in " @/:") or len(value) > 253:
        raise Invalid("value", NO_DOMAIN)
    return value


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise Invalid("value", NO_NETWORK) from None
    if network.prefixlen < _WIDEST[network.version]:
        raise Invalid("value", WIDE)
    return str(network)


def _domains(email: str) -> Iterable[str]:
    """Of the address, and every domain above it."""
    labels = email.lower().rpartition("@")[2].split(".")
    return (".".join(labels[n:]) for n in range(len(labels) - 1))
