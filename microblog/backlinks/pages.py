"""What a page says of whose it is: the names of people here that its `rel="me"` links lead to."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

_PROCESS = Path(__file__).with_name("process.py")
_SECONDS = 5.0
_PROFILE = re.compile(r"/@([A-Za-z0-9_]{1,30})/?")
_PORTS = {"http": 80, "https": 443}
_pool = ThreadPoolExecutor(2, thread_name_prefix="pages")


async def links_of(page: bytes, url: str) -> list[str] | None:
    """Addresses of its `rel="me"` links, whole; None if it cannot be read in time."""
    written = await asyncio.get_running_loop().run_in_executor(_pool, _read, page)
    if written is None:
        return None
    found = json.loads(written)
    base = _joined(url, found["base"]) or url
    return [whole for link in found["links"] if (whole := _joined(base, link))]


def names_in(links: Iterable[str], base_url: str) -> list[str]:
    """Those of the site at `base_url`; each once."""
    here = _place(base_url)
    names = [_name(link) for link in links if _place(link) == here]
    return list(dict.fromkeys(name for name in names if name))


def is_same_site(one: str, other: str) -> bool:
    """Whether one may answer for the other: a redirect to TLS or to "www." and back."""
    return _host(urlsplit(one)).removeprefix("www.") == _host(urlsplit(other)).removeprefix("www.")


def _read(page: bytes) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 - no word of it comes from outside
            [sys.executable, "-I", str(_PROCESS)],
            input=page, capture_output=True, timeout=_SECONDS, check=True, cwd="/",
            env={"MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout


def _joined(base: str, link: str) -> str:
    try:
        whole = urljoin(base, link.strip())
        return whole if urlsplit(whole).scheme in _PORTS else ""
    except ValueError:
        return ""


def _place(url: str) -> tuple[str, int]:
    """Host and port; the usual ports are one, since a site is not another over TLS."""
    parts = urlsplit(url)
    try:
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", 0
    return _host(parts), 443 if port == 80 else port


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return host


def _name(link: str) -> str:
    found = _PROFILE.fullmatch(unquote(urlsplit(link).path))
    return found[1] if found else ""
