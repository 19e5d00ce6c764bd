"""The only reader of the environment; everything else is handed a `Settings`.

Each field of `Settings` that says what it sets is one ``MICROBLOG_`` variable; the command
``microblog settings`` prints the same texts, and a test holds the README to them.
"""

from __future__ import annotations

import contextlib
import difflib
import ipaddress
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from microblog import providers
from microblog.providers import Provider, ProviderError

PREFIX = "MICROBLOG_"
_BASE_URL = re.compile(
    r"https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    r"(:(?!0)([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
)
SIGN_UP = ("open", "invitation", "approval", "closed")
_CHOICES = {
    "sign_up": SIGN_UP,
    "limits": ("default", "off"),
    "confirm_email": ("auto", "on", "off"),
    "log_format": ("text", "json"),
    "workers_here": ("on", "off"),
    "passwords": ("on", "off"),
}
_SAMPLES = ("you-will-never-guess", "changeme", "change-me", "secret", "dev")


class SettingsError(Exception):
    """A setting that cannot be used, in one line that says what to do."""


def _setting(default: Any, says: str, *, secret: bool = False) -> Any:  # noqa: ANN401
    return field(default=default, metadata={"says": says}, repr=not secret)


@dataclass(frozen=True, slots=True)
class Smtp:
    """Where mail leaves: ``smtp://``, ``smtp+starttls://`` or ``smtps://user:password@host:port``."""

    host: str
    port: int
    security: str  # "plain", "starttls" or "tls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Smtp:
        schemes = {"smtp": ("plain", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.hostname:
            raise SettingsError(
                "MICROBLOG_SMTP_URL must look like smtp+starttls://user:password@host:587"
            )
        security, port = schemes[parts.scheme]
        return cls(
            parts.hostname,
            _port(url) or port,
            security,
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )


@dataclass(frozen=True)
class Settings:
    data_dir: Path = _setting(
        Path("data"), "Directory of the SQLite file, the secret key and media."
    )
    database_url: str = _setting(
        "",
        "postgresql://user:password@host/name; empty: SQLite in the data directory.",
        secret=True,
    )
    base_url: str = _setting(
        "", "The address people use, such as https://social.example; empty: the bound address."
    )
    bind: str = _setting("", "host:port to listen on; empty: what hypercorn.toml says.")
    secret_key: str = _setting(
        "",
        "At least 32 characters; empty: made at first start, kept in DATA_DIR/secret_key.",
        secret=True,
    )
    secret_key_old: str = _setting(
        "", "The key before a rotation: its cookies are still read.", secret=True
    )
    site_name: str = _setting("Microblog", "What the site calls itself.")
    smtp_url: str = _setting(
        "",
        "smtp://, smtp+starttls:// or smtps://user:password@host:port; empty: mails stay queued.",
        secret=True,
    )
    mail_from: str = _setting("", "Sender of all mail; empty: microblog@ the host of BASE_URL.")
    mail_hold: float = _setting(
        120.0, "Seconds a notification mail waits, in case its reader sees it on screen first."
    )
    confirm_email: str = _setting(
        "auto",
        "on, off or auto: new accounts confirm their address first (auto: on for serve with SMTP).",
    )
    sign_up: str = _setting(
        "open", "open, invitation, approval or closed: who may sign up, until /admin/settings says."
    )
    post_limit: int = _setting(500, "Characters in a post, as people count them; a link counts 23.")
    limits: str = _setting(
        "default", "default or off (tests and benchmarks on loopback only): rate limits."
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses or networks of proxies whose X-Forwarded-For is believed, comma-separated.",
    )
    log_days: float = _setting(
        14.0, "Days the event log keeps, so the longest absence a page can catch up on."
    )
    bus_url: str = _setting(
        "",
        "nats://host:4222, a broker that wakes very many processes (docs/scale.md); empty:"
        " PostgreSQL does it.",
        secret=True,
    )
    log_format: str = _setting("text", "text or json.")
    metrics_token: str = _setting(
        "",
        "What /metrics asks for as a Bearer token, at least 16 characters; empty: no /metrics.",
        secret=True,
    )
    workers_here: str = _setting(
        "on", "on or off: send mail and keep the log from the serving process too."
    )

    passwords: str = _setting(
        "on", "on or off: sign in with a password; off needs a provider to sign in through."
    )
    # From variables with a name of the operator's choice in them (`microblog.providers`).
    providers: tuple[Provider, ...] = field(default=(), metadata={"internal": True})

    # Decided by the command, not by the environment.  Places on this machine that may be fetched
    # from (`outbound.guard`): the pretend providers of the demo, and what tests start.
    reachable: tuple[str, ...] = field(default=(), metadata={"internal": True})
    mode: str = field(default="serve", metadata={"internal": True})

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, **decided: Any) -> Settings:  # noqa: ANN401
        given = {
            k: v for k, v in (os.environ if env is None else env).items() if k.startswith(PREFIX)
        }
        known = cls.variables()
        for name in given:
            if name not in known and not providers.is_setting(name):
                raise SettingsError(_unknown(name, [*known, *providers.PATTERNS]))
        values = {
            known[name]: _read(cls, known[name], text)
            for name, text in given.items()
            if text and name in known
        }
        return replace(cls(), providers=_providers(given), **values, **decided).checked()

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Name of each environment variable and the field it sets."""
        return {PREFIX + f.name.upper(): f.name for f in fields(cls) if "says" in f.metadata}

    def checked(self) -> Settings:
        for name, allowed in _CHOICES.items():
            _one_of(name.upper(), getattr(self, name), allowed)
        _check_numbers(self)
        if not (self.has_passwords or self.providers):
            raise SettingsError("MICROBLOG_PASSWORDS=off needs a provider to sign in through.")
        if self.secret_key_old and not _fit(self.secret_key_old):
            _unfit("MICROBLOG_SECRET_KEY_OLD")
        if self.metrics_token and len(self.metrics_token) < 16:
            raise SettingsError("MICROBLOG_METRICS_TOKEN must have at least 16 characters.")
        if self.smtp_url:
            Smtp.parse(self.smtp_url)
        _check_networks(self.trusted_proxies)
        _check_database_url(self.url)
        _check_bus_url(self.bus_url, self.url)
        if self.base_url:
            _check_base_url(self.base_url)
        return self

    @property
    def url(self) -> str:
        """Of the database."""
        file = f"sqlite+aiosqlite:///{(self.data_dir / 'microblog.db').absolute()}"
        return _with_driver(self.database_url) or file

    @property
    def smtp(self) -> Smtp | None:
        return Smtp.parse(self.smtp_url) if self.smtp_url else None

    @property
    def is_dev(self) -> bool:
        return self.mode == "dev"

    @property
    def https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """Host of BASE_URL, without a port."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def sender(self) -> str:
        return self.mail_from or f"microblog@{self.host}"

    @property
    def has_passwords(self) -> bool:
        return self.passwords == "on"

    @property
    def copies_posts(self) -> bool:
        """To X or Facebook, for those who want it."""
        return any(one.kind in ("x", "facebook") for one in self.providers)

    @property
    def sends_mail(self) -> bool:
        """Or keeps it where its reader can see it."""
        return self.is_dev or bool(self.smtp_url)

    @property
    def confirms_email(self) -> bool:
        if self.confirm_email == "auto":
            return not self.is_dev and bool(self.smtp_url)
        return self.confirm_email == "on"

    def with_secret_key(self) -> Settings:
        """Read the key, or make one at the first start: mode 0600, never overwritten."""
        if self.secret_key:
            return self if _fit(self.secret_key) else _unfit("MICROBLOG_SECRET_KEY")
        path = self.data_dir / "secret_key"
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_key(path)
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise SettingsError(f"{path} can be read by others; run: chmod 600 {path}")
            key = path.read_text().strip()
        except OSError as error:
            raise SettingsError(f"Cannot write {self.data_dir}: {error.strerror}.") from error
        return replace(self, secret_key=key) if _fit(key) else _unfit(str(path))


def _make_key(path: Path) -> None:
    """Whole or not at all: another process may start now, and this one be killed."""
    if path.exists():
        return
    written = path.with_name(f".{path.name}-{secrets.token_hex(6)}")
    handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(written, path)
    finally:
        written.unlink()


def _fit(key: str) -> bool:
    return len(key.encode()) >= 32 and key.lower() not in _SAMPLES and len(set(key)) > 8


def _unfit(where: str) -> Settings:
    raise SettingsError(
        f"{where} is too short or too well known: use 32 random characters or more."
    )


def _read(cls: type[Settings], name: str, text: str) -> Any:  # noqa: ANN401
    default = getattr(cls(), name)
    try:
        value = type(default)(text) if not isinstance(default, Path) else Path(text)
    except ValueError:
        raise SettingsError(f"{PREFIX}{name.upper()} must be a number, not {text!r}.") from None
    return _as_browsers_say(text) if name == "base_url" else value


def _providers(given: Mapping[str, str]) -> tuple[Provider, ...]:
    try:
        return providers.configured(given)
    except ProviderError as error:
        raise SettingsError(str(error)) from None


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f" Did you mean {near[0]}?" if near else " See the README for the settings."
    return f"{name} is not a setting.{hint}"


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsError(f"{PREFIX}{name} must be one of {', '.join(allowed)}, not {value!r}.")


def _as_browsers_say(url: str) -> str:
    """As it stands in Host and Origin: in lower case, without the scheme's own port."""
    plain = url.strip().rstrip("/").lower()
    port = {"http": ":80", "https": ":443"}.get(plain.partition("://")[0], "")
    return plain.removesuffix(port) if port else plain


def _check_base_url(url: str) -> None:
    if _BASE_URL.fullmatch(url) is None:
        raise SettingsError(
            "MICROBLOG_BASE_URL must be like https://social.example, without a path, and in ASCII"
            " (xn--…)."
        )
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise SettingsError(
            "MICROBLOG_BASE_URL must begin with https:// (http only on this machine)."
        )


def is_loopback(host: str) -> bool:
    return (
        host in ("localhost", "::1", "[::1]")
        or re.fullmatch(r"127(\.\d{1,3}){3}", host) is not None
    )


def _check_database_url(url: str) -> None:
    known = url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://"))
    try:
        make_url(url)
    except (ArgumentError, ValueError):  # what it says can hold a part of the password
        known = False
    if not known:
        raise SettingsError(
            "MICROBLOG_DATABASE_URL must look like postgresql://user:password@host/name, or"
            " sqlite+aiosqlite:////path/to/file (an @ in the password: %40)."
        ) from None


def _check_bus_url(url: str, database_url: str) -> None:
    if url and not url.startswith(("nats://", "tls://")):
        raise SettingsError("MICROBLOG_BUS_URL must look like nats://user:password@host:4222.")
    if url and not database_url.startswith("postgresql"):
        raise SettingsError(
            "MICROBLOG_BUS_URL needs PostgreSQL: on one SQLite file the file itself wakes everyone."
        )


def _with_driver(url: str) -> str:
    """As hosting panels and documents write it, and with the driver that we use."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return url.replace(scheme, "postgresql+asyncpg://", 1)
    return url


def _check_numbers(settings: Settings) -> None:
    if not 1 <= settings.post_limit <= 5000:
        raise SettingsError("MICROBLOG_POST_LIMIT must be between 1 and 5000.")
    if not 0 <= settings.mail_hold <= 86_400:
        raise SettingsError("MICROBLOG_MAIL_HOLD must be between 0 and 86400 seconds.")
    if not 0 < settings.log_days <= 36_500:
        raise SettingsError("MICROBLOG_LOG_DAYS must be more than 0 and at most 36500.")


def _check_networks(written: str) -> None:
    for one in filter(None, (part.strip() for part in written.split(","))):
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            raise SettingsError(
                f"MICROBLOG_TRUSTED_PROXIES has {one!r}, which is no address or network."
            ) from None


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        raise SettingsError("MICROBLOG_SMTP_URL has a port that is no number.") from None
