"""BASE_URL: does it lead here, through whatever stands in front, sockets included?"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from microblog.commands.checkups import proxy
from microblog.commands.checkups.findings import Finding, broken, fine, look
from microblog.kernel import tokens
from microblog.settings import Settings, SettingsError

PATIENCE = 5.0
LARGEST = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """`trouble` says why there is none."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    trouble: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """What /healthz says; empty if that is not who answered."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) and "checks" in said else {}

    @property
    def epoch(self) -> str:
        """Of the log, which tells one site from another."""
        return str(self.facts.get("position", "")).partition(".")[0]


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    for finding in proxy.settings_say(settings):
        yield finding
    shown = _doctors_pass(settings)
    here = await _ask(f"http://{_reachable(settings.bind)}", settings, headers=shown)
    forged = {"X-Forwarded-For": proxy.FORGED}
    there = await _ask(settings.base_url, settings, headers=shown | forged)
    if here.trouble and there.trouble:
        yield _silent(settings)
        return
    found = list(_leads_here(settings, here, there, knows_the_key=bool(shown)))
    for finding in found:
        yield finding
    if all(finding.level != "broken" for finding in found):
        yield await _socket(settings)


def _doctors_pass(settings: Settings) -> dict[str, str]:
    """With it the site tells whoever it is through a proxy what it tells this machine."""
    try:
        if not settings.secret_key and not (settings.data_dir / "secret_key").exists():
            return {}  # reading it would make one
        secret = settings.with_secret_key().secret_key
    except (SettingsError, OSError):  # said already
        return {}
    return {"X-Microblog-Doctor": tokens.doctors_pass(secret)}


def _silent(settings: Settings) -> Finding:
    there, here = settings.base_url, f"http://{settings.bind}"
    says = f"{there} does not answer"
    return look(
        "address", says if there == here else f"{says}, nor does {here}",
        "Start the site (microblog serve), or set MICROBLOG_BIND to where it listens.",
    )  # fmt: skip


def _reachable(bind: str) -> str:
    host, _, port = bind.rpartition(":")
    return f"{ {'0.0.0.0': '127.0.0.1', '[::]': '[::1]'}.get(host, host) }:{port}"  # noqa: S104


def _leads_here(
    settings: Settings, here: Answer, there: Answer, *, knows_the_key: bool
) -> Iterator[Finding]:
    url = settings.base_url
    if there.trouble:
        yield broken(
            "address", f"{url} does not answer, though the site runs: {there.trouble}",
            "Look at the host name (DNS), the firewall, the proxy and its certificate.",
        )  # fmt: skip
    elif not there.facts:
        yield broken(
            "address", f"{url}/healthz is answered by something else (status {there.status})",
            "See that the proxy passes everything on, with the Host header as it came.",
        )  # fmt: skip
    elif here.facts and here.epoch != there.epoch and (knows_the_key or there.epoch):
        yield broken(
            "address", f"{url} leads to another site than the one at {settings.bind}",
            "Compare the proxy's target with MICROBLOG_BIND.",
        )  # fmt: skip
    else:
        if came := there.facts.get("came"):
            yield from proxy.examine(settings, came)
        yield from _healthy(settings, there)


def _healthy(settings: Settings, answer: Answer) -> Iterator[Finding]:
    failing = [name for name, well in answer.facts["checks"].items() if not well]
    if failing:
        yield broken(
            "address", f"{settings.base_url} leads here, but fails: {', '.join(failing)}",
            "Read the log of the site; restart it if it stays so.",
        )  # fmt: skip
    else:
        yield fine("address", f"{settings.base_url} leads to this site, and it is well")
    for notice in answer.facts.get("notices", ()):
        yield look("address", "the running site says", notice)
    if settings.https and "strict-transport-security" not in answer.headers:
        yield look(
            "proxy", "browsers are not told to insist on HTTPS",
            "The site sends Strict-Transport-Security: see that the proxy leaves it.",
        )  # fmt: skip


async def _socket(settings: Settings) -> Finding:
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    wanted = {
        "Upgrade": "websocket", "Connection": "Upgrade", "Origin": settings.base_url,
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key,
    }  # fmt: skip
    answer = await _ask(settings.base_url, settings, "/live?stream=public", wanted)
    if answer.status == 101:
        return fine("live", "sockets come through")
    return broken(
        "live",
        f"no socket comes through ({answer.trouble or f'status {answer.status}'})",
        "Let the proxy pass WebSockets on to /live (docs/deploy.md has Caddy and nginx).",
    )


async def _ask(
    base: str, settings: Settings, path: str = "/healthz", headers: Mapping[str, str] | None = None
) -> Answer:
    host = urlsplit(settings.base_url).netloc
    try:
        return await asyncio.to_thread(_asked, base, path, {"Host": host, **(headers or {})})
    except socket.gaierror:
        return Answer(trouble=f"{urlsplit(base).hostname} is not known (DNS)")
    except (OSError, HTTPException) as error:
        return Answer(trouble=str(error) or type(error).__name__)


def _asked(base: str, path: str, headers: Mapping[str, str]) -> Answer:
    parts = urlsplit(base)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        body = b"" if answer.status == 101 else answer.read(LARGEST)
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, body)
    finally:
        connection.close()
