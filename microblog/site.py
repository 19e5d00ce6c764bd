"""What every request handler may ask for: the running site, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from quart import current_app, g

from microblog.kernel import tokens
from microblog.kernel.bus import Bus
from microblog.kernel.db import Database
from microblog.kernel.errors import N_, Forbidden
from microblog.kernel.model import Session
from microblog.kernel.worker import Pulse
from microblog.live.hub import Hub
from microblog.outbound.client import Outbound
from microblog.settings import Settings
from microblog.signin.queries import Viewer
from microblog.site_settings import queries as site_settings
from microblog.site_settings.model import SiteSettings


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operator should know: the console says it in English, a page translates it."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.values


@dataclass
class Site:
    settings: Settings
    db: Database
    hub: Hub
    bus: Bus | None = None
    pulses: dict[str, Pulse] = field(default_factory=dict)
    # Asked by /healthz and /admin: what the operator should know of parts that only the
    # composition root knows.
    notices: Callable[[], list[Notice]] = list
    # Asked by /metrics: those who follow the log by name, and what is for them; which of several
    # processes this is.
    consumers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    worker: str = "0"
    # What administrators set, over the environment; and who is told when that changes.
    chosen: SiteSettings = field(init=False)
    # Who follow many people and are suggested none, and until when on the monotonic clock: asking
    # again is a statement for each page.
    settled: dict[int, float] = field(default_factory=dict)
    on_change: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chosen = self.defaults

    @property
    def defaults(self) -> SiteSettings:
        return SiteSettings.from_environment(self.settings)

    async def refresh(self, session: Session) -> None:
        """Look what is set now: at the start, and whenever the log tells that it has changed."""
        self.chosen = await site_settings.chosen(session, self.defaults)
        for told in self.on_change:
            told()

    @cached_property
    def outbound(self) -> Outbound:
        """For every address that somebody else chose."""
        return Outbound(reachable=self.settings.reachable)

    @cached_property
    def csrf_key(self) -> bytes:
        return tokens.key_for(self.settings.secret_key, "csrf")

    @cached_property
    def appeal_key(self) -> bytes:
        return tokens.key_for(self.settings.secret_key, "appeal")

    @cached_property
    def doctors_pass(self) -> str:
        """What `microblog doctor` shows, so that it is told through a proxy, too, what is here."""
        return tokens.doctors_pass(self.settings.secret_key)

    @cached_property
    def unsubscribe_key(self) -> bytes:
        return tokens.key_for(self.settings.secret_key, "unsubscribe")


def site() -> Site:
    return cast(Site, current_app.extensions["microblog"])


def viewer() -> Viewer | None:
    """Who is asking; None when signed out.  Settled once a request by `web.identity`."""
    return cast("Viewer | None", g.get("viewer"))


def reader_id() -> int | None:
    """Who is asking, as rules about what may be seen take it (`posts.visibility`)."""
    asking = viewer()
    return asking.id if asking else None


def me() -> Viewer:
    """Who is asking, on routes for members (`web.access` has refused everybody else)."""
    if (asking := viewer()) is None:
        raise Forbidden(N_("Sign in to do this."))
    return asking
