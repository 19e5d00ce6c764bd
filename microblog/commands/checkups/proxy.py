"""What stands in front: are its headers such that the site knows its name and its visitors?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from microblog.commands.checkups.findings import Finding, broken, fine, look
from microblog.settings import Settings, is_loopback
from microblog.web import guard

FORGED = "192.0.2.77"  # an address of nobody (RFC 5737), as a visitor would write it


def settings_say(settings: Settings) -> Iterator[Finding]:
    host = settings.bind.rpartition(":")[0]
    if settings.https and is_loopback(host) and not settings.trusted_proxies:
        yield look(
            "proxy", "no proxy is trusted, so all visitors share one rate limit",
            "Set MICROBLOG_TRUSTED_PROXIES to its address, such as 127.0.0.1.",
        )  # fmt: skip
    if any(net.strip().endswith("/0") for net in settings.trusted_proxies.split(",")):
        yield broken(
            "proxy", "everybody is trusted as a proxy and can choose the address they come from",
            "Name the proxy's own address in MICROBLOG_TRUSTED_PROXIES.",
        )  # fmt: skip


def examine(settings: Settings, came: Mapping[str, Any]) -> Iterator[Finding]:
    """`came`: how a request for BASE_URL that said it was `FORGED` reached the site."""
    if urlsplit(settings.base_url).netloc == settings.bind:
        return  # nothing stands between
    found = [*_host(settings, came["host"]), *_address(settings, came)]
    yield from found or [fine("proxy", "it passes on the name people use and where they come from")]


def _host(settings: Settings, host: str) -> Iterator[Finding]:
    if host not in guard.hosts(settings):
        yield broken(
            "proxy", f"it passes on {host!r} as the Host, so every page is answered 400",
            "Let it pass on the Host header as it came (nginx: proxy_set_header Host $http_host).",
        )  # fmt: skip


def _address(settings: Settings, came: Mapping[str, Any]) -> Iterator[Finding]:
    hops = [hop.strip() for line in came["forwarded"] for hop in line.split(",")]
    last, peer = hops[-1] if hops else "", came["peer"]
    if not came["is_proxy"]:
        if settings.trusted_proxies and last not in ("", FORGED):  # somebody has written it
            yield look(
                "proxy", f"{peer} is not trusted as one, so all visitors share one rate limit",
                "Add that address to MICROBLOG_TRUSTED_PROXIES, if the proxy has it.",
            )  # fmt: skip
    elif last == FORGED:
        yield broken(
            "proxy", "visitors can choose the address they come from, and so escape rate limits",
            "Let it set X-Forwarded-For itself"
            " (nginx: proxy_set_header X-Forwarded-For $remote_addr).",
        )  # fmt: skip
    elif not last:
        yield look(
            "proxy", "it does not say where visitors come from, so all share one rate limit",
            "Let it set X-Forwarded-For to the address of whoever connected to it.",
        )  # fmt: skip
