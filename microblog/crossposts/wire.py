"""Requests to where crossposts go: JSON or forms there, JSON back, through the guarded client."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from microblog.crossposts.answers import UNKNOWN, Answer, later
from microblog.kernel.clock import now
from microblog.outbound import client
from microblog.outbound.client import Outbound
from microblog.outbound.failures import OutboundFailure, Unsafe

ID = re.compile(r"[0-9]{1,40}(_[0-9]{1,20})?")
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    facts: Mapping[str, Any]  # empty for what is no JSON object

    @property
    def is_fine(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_trouble(self) -> bool:
        """Theirs, and it may pass."""
        return self.status >= 500 or self.status in (408, 425)

    def part(self, name: str) -> Mapping[str, Any]:
        found = self.facts.get(name)
        return found if isinstance(found, Mapping) else {}

    def wait(self) -> float:
        """Seconds that we are asked to wait: in seconds, as a date, or as X says it."""
        asked = self.headers.get("retry-after", "")
        reset = self.headers.get("x-rate-limit-reset", "")
        seconds = _seconds(asked) or (_number(reset) - now().timestamp() if reset else 0.0)
        return min(max(seconds, 0.0), LONGEST_WAIT)


async def ask(
    outbound: Outbound,
    method: str,
    url: str,
    *,
    token: str = "",
    secret: tuple[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    said: Mapping[str, Any] | None = None,
) -> Reply:
    """With a `token`, or the `secret` of the site; with a `form`, or JSON.  Raises
    `OutboundFailure`."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if secret:
        headers["Authorization"] = f"Basic {b64encode(':'.join(secret).encode()).decode()}"
    content = b""
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        content = urlencode(form).encode()
    elif said is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(said).encode()
    answer = await outbound.send(method, url, headers=headers, content=content)
    return Reply(answer.status, answer.headers, _facts(answer))


def unanswered(failure: OutboundFailure) -> Answer:
    """Whether the request may have had its effect although nothing came back."""
    was_asked = not isinstance(failure, Unsafe) and getattr(failure, "asked", True)
    return UNKNOWN if was_asked else later()


def _facts(answer: client.Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(written: str) -> float:
    if not written or (written.isascii() and written.isdigit()):
        return _number(written)
    try:
        return (parsedate_to_datetime(written) - now()).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _number(written: str) -> float:
    return float(written) if written.isascii() and written.isdigit() and len(written) < 12 else 0.0
