"""Where a request comes from.  Forwarded headers are believed from configured proxies only
(SECURITY 40)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache, lru_cache

from quart import request

from microblog.kernel import tokens
from microblog.settings import is_loopback
from microblog.site import site


def address() -> str:
    """The client's IP address; "" if the server does not know it (a Unix socket)."""
    peer = request.scope.get("client")
    # Some proxies add a line of their own below the one a client has sent.
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
    return resolved(peer[0] if peer else "", forwarded, site().settings.trusted_proxies)


def is_proxy() -> bool:
    """Whether the request was handed on by a proxy of ours, whose headers are believed."""
    peer = request.scope.get("client")
    return _is_in(peer[0] if peer else "", _networks(site().settings.trusted_proxies))


def is_here() -> bool:
    """Whether the request comes from this machine and through no proxy."""
    peer = request.scope.get("client")
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return peer is not None and is_loopback(peer[0]) and not forwarded


def is_doctor() -> bool:
    """Whether `microblog doctor` asks, which has the site's key."""
    return tokens.same(request.headers.get("X-Microblog-Doctor", ""), site().doctors_pass)


def as_it_came() -> dict[str, object]:
    """What a proxy has made of a request, and whom we take it to come from."""
    peer = request.scope.get("client")
    return {
        "host": request.headers.get("Host", ""),
        "peer": peer[0] if peer else "",
        "forwarded": request.headers.getlist("X-Forwarded-For"),
        "is_proxy": is_proxy(),
    }


def resolved(peer: str, forwarded: str, trusted: str) -> str:
    """Walk X-Forwarded-For from the right, past trusted proxies, to the first address that is
    not."""
    proxies = _networks(trusted)
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    while hops and _is_in(peer, proxies):
        nearer = hops.pop()
        if _parsed(nearer) is None:
            break
        peer = nearer
    return peer


def network() -> str:
    return coarse(address())


def place() -> str:
    return single(address())


def coarse(written: str) -> str:
    """The network someone is on: /24 for IPv4, /64 for IPv6."""
    return _within(written, 24)


def single(written: str) -> str:
    """Whom a limit takes for one: an IPv4 address, and of IPv6 the /64 that one household has."""
    return _within(written, 32)


@lru_cache(maxsize=1000)
def _within(written: str, bits_of_ipv4: int) -> str:
    parsed = _parsed(written)
    if parsed is None:
        return ""
    bits = bits_of_ipv4 if parsed.version == 4 else 64
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


def _parsed(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(written.split("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return mapped or parsed


@cache
def _networks(trusted: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """As one of the settings says, so there is one."""
    return tuple(
        ipaddress.ip_network(one.strip(), strict=False) for one in trusted.split(",") if one.strip()
    )


def _is_in(written: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    parsed = _parsed(written)
    return parsed is not None and any(parsed in one for one in networks)
