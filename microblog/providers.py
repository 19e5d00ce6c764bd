"""Who vouches for people besides their password: the providers that the environment names.

Several OpenID providers can be given at once, each by an id of the operator's choice; four others
are known by name.  `settings` hands over what it found and is the only reader of the environment.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_OIDC = re.compile(r"MICROBLOG_OIDC_([A-Z0-9]{1,20})_(ISSUER|CLIENT_ID|CLIENT_SECRET|LABEL|ICON)")
_PRESET = re.compile(r"MICROBLOG_(GOOGLE|GITHUB|FACEBOOK|X)_(CLIENT_ID|CLIENT_SECRET)")

# What the README and ``microblog settings`` say of them.
PATTERNS = {
    "MICROBLOG_OIDC_<ID>_ISSUER": "An OpenID provider, such as https://id.example; <ID> is yours to"
    " choose: letters and digits.",
    "MICROBLOG_OIDC_<ID>_CLIENT_ID": "What that provider calls this site.",
    "MICROBLOG_OIDC_<ID>_CLIENT_SECRET": "The secret that goes with it.",
    "MICROBLOG_OIDC_<ID>_LABEL": "What its button says; empty: the host of its issuer.",
    "MICROBLOG_OIDC_<ID>_ICON": "What stands before it: key, openid, google, github, facebook, x,"
    " or the path of a PNG, JPEG, WebP or SVG file of at most 64 KB; empty: key.",
    **{
        f"MICROBLOG_{name}_CLIENT_{part}": f"Sign-in through {label}: the client {part.lower()}."
        for name, label in (
            ("GOOGLE", "Google"), ("GITHUB", "GitHub"), ("FACEBOOK", "Facebook"), ("X", "X"),
        )
        for part in ("ID", "SECRET")
    },
}  # fmt: skip


ICONS = ("key", "openid", "google", "github", "facebook", "x")
ICON_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
    ".svg": "image/svg+xml",
}  # fmt: skip
MOST_ICON_BYTES = 64 * 1024


class ProviderError(ValueError):
    """A provider that is not named in full, in one line."""


@dataclass(frozen=True, slots=True)
class Provider:
    """`issuer` is who says so: with the subject it names a person for good.

    The addresses are of providers without discovery; `kind` says in which dialect they speak.
    """

    id: str  # in URLs
    kind: str  # "oidc", "github", "facebook" or "x"
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str = ""
    token_url: str = ""
    api_url: str = ""
    icon: str = "key"  # a drawing of static/icons.svg, or the path of a picture
    site_url: str = ""  # where people look at what was posted

    @property
    def asks_again(self) -> bool:
        """Whether it lets us have somebody prove anew who they are, and says when they did.

        OpenID Connect has `max_age` for it, and `auth_time` to tell.  Google does neither, and in
        OAuth 2 alone there is no such thing.
        """
        return self.kind == "oidc" and self.id != "google"

    @property
    def icon_file(self) -> Path | None:
        return None if self.icon in ICONS else Path(self.icon)


_PRESETS: dict[str, dict[str, str]] = {
    "google": {"kind": "oidc", "label": "Google", "issuer": "https://accounts.google.com"},
    "github": {
        "kind": "github",
        "label": "GitHub",
        "issuer": "https://github.com",
        "authorize_url": "https://github.com/login/oauth/authorize",
        "token_url": "https://github.com/login/oauth/access_token",
        "api_url": "https://api.github.com",
    },
    # Without a version, Graph answers as the oldest one this app may use: none is outlived.
    "facebook": {
        "kind": "facebook",
        "label": "Facebook",
        "issuer": "https://www.facebook.com",
        "authorize_url": "https://www.facebook.com/dialog/oauth",
        "token_url": "https://graph.facebook.com/oauth/access_token",
        "api_url": "https://graph.facebook.com",
        "site_url": "https://www.facebook.com",
    },
    "x": {
        "kind": "x",
        "label": "X",
        "issuer": "https://x.com",
        "authorize_url": "https://x.com/i/oauth2/authorize",
        "token_url": "https://api.x.com/2/oauth2/token",
        "api_url": "https://api.x.com",
        "site_url": "https://x.com",
    },
}


def is_setting(name: str) -> bool:
    return bool(_OIDC.fullmatch(name) or _PRESET.fullmatch(name))


def configured(given: Mapping[str, str]) -> tuple[Provider, ...]:
    """Those that the variables name; the known ones first.  Raises `ProviderError`."""
    presets: dict[str, dict[str, str]] = {}
    others: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        if not value:
            continue
        if found := _OIDC.fullmatch(name):
            others.setdefault(found[1], {})[found[2]] = value.strip()
        elif found := _PRESET.fullmatch(name):
            presets.setdefault(found[1], {})[found[2]] = value.strip()
    known = [preset(name.lower(), parts) for name, parts in sorted(presets.items())]
    named = [_oidc(name, parts) for name, parts in sorted(others.items())]
    if clash := {one.id for one in known} & {one.id for one in named}:
        raise ProviderError(f"MICROBLOG_OIDC_{clash.pop().upper()}_… is the name of a preset.")
    return (*known, *named)


def preset(name: str, parts: Mapping[str, str], **elsewhere: str) -> Provider:
    """One of those known by name; `elsewhere` has the addresses of a pretend one."""
    _complete(f"MICROBLOG_{name.upper()}", parts, ("CLIENT_ID", "CLIENT_SECRET"))
    return Provider(
        id=name, icon=name, client_id=parts["CLIENT_ID"], client_secret=parts["CLIENT_SECRET"],
        **(_PRESETS[name] | elsewhere),
    )  # fmt: skip


def _oidc(name: str, parts: Mapping[str, str]) -> Provider:
    _complete(f"MICROBLOG_OIDC_{name}", parts, ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"))
    issuer = parts["ISSUER"]
    at = urlsplit(issuer)
    local = at.scheme == "http" and _is_here(at.hostname or "")
    if not at.hostname or at.query or at.fragment or not (at.scheme == "https" or local):
        raise ProviderError(f"MICROBLOG_OIDC_{name}_ISSUER must begin with https://.")
    label = parts.get("LABEL") or at.hostname
    return Provider(
        name.lower(), "oidc", label[:40], issuer.rstrip("/"),
        parts["CLIENT_ID"], parts["CLIENT_SECRET"], icon=_icon(name, parts.get("ICON", "key")),
    )  # fmt: skip


def _icon(name: str, written: str) -> str:
    path = Path(written)
    known = path.suffix.lower() in ICON_TYPES and path.is_file()
    if written in ICONS:
        return written
    if not known or path.stat().st_size > MOST_ICON_BYTES:
        raise ProviderError(
            f"MICROBLOG_OIDC_{name}_ICON must be one of {', '.join(ICONS)}, or the path of a PNG,"
            " JPEG, WebP or SVG file of at most 64 KB."
        )
    return str(path.absolute())


def _complete(prefix: str, parts: Mapping[str, str], needed: tuple[str, ...]) -> None:
    for part in needed:
        if part not in parts:
            raise ProviderError(f"{prefix}_{part} is missing.")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
