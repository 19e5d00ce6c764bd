"""What an email says once it is composed, before it becomes bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from microblog.kernel.model import Session

DIGEST = "digest"  # the kind that tells of many others at once


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom, in which language, and what `template` (a folder in templates/mail) is told."""

    template: str
    to: str
    language: str
    context: dict[str, Any] = field(default_factory=dict)
    unsubscribe: str | None = None  # a URL that takes RFC 8058's POST
    thread: str | None = None  # root key, such as "thread-7": letters with the same one group
    list_name: str | None = None  # such as "mentions", for List-Id


@dataclass(frozen=True, slots=True)
class Cancelled:
    """There is nothing left to say: it is gone, or was seen on screen."""

    reason: str


# Runs in the transaction that leases the email: database only, and quick.  It is given the
# payloads, each with its "kind"; there are several only for the kind "digest".
Compose: TypeAlias = Callable[[Session, list[dict[str, Any]]], Awaitable[Letter | Cancelled]]
Render: TypeAlias = Callable[[Letter, str], bytes]  # letter, message id -> the whole message
