"""Composition root: the one place that knows every part and joins them.

`create_app` makes the web application with its loops; `Machinery` alone, without Quart, is what
``microblog worker`` runs.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from quart import Quart

from microblog.accounts.consumer import consumer as accounts_consumer
from microblog.admissions import applications, invitations
from microblog.admissions import emails as admission_emails
from microblog.archives import actions as archives
from microblog.archives import emails as archive_emails
from microblog.archives.builder import Builder
from microblog.backlinks.checker import LinkChecker
from microblog.crossposts import places
from microblog.crossposts.keys import PURPOSE
from microblog.crossposts.sender import CrosspostSender
from microblog.departures import emails as departure_emails
from microblog.departures import erasure
from microblog.departures import queries as departures
from microblog.follows.consumer import consumer as follows_consumer
from microblog.identities import actions as identities
from microblog.identities import emails as identity_emails
from microblog.imports import actions as bringing
from microblog.imports.worker import Importer
from microblog.kernel import bus, clock, events, readers
from microblog.kernel.db import Database
from microblog.kernel.errors import N_
from microblog.kernel.model import Session
from microblog.kernel.sealing import Seal
from microblog.live.hub import Hub
from microblog.mail import outbox
from microblog.mail.addresses import Mailbox, sender_mailbox
from microblog.mail.render import Renderer
from microblog.mail.sender import MailSender
from microblog.mail.smtp import SmtpTransport
from microblog.mail.transport import KeepTransport, Transport
from microblog.media import actions as pictures
from microblog.media import store
from microblog.moderation import actions as moderating
from microblog.moderation import emails as moderation_emails
from microblog.notifications import emails as notification_emails
from microblog.notifications.consumer import make_consumer
from microblog.running import Step, Wakers, everything, loop, running, stopped
from microblog.settings import Settings, SettingsError
from microblog.signin import actions as signin
from microblog.signin import emails as signin_emails
from microblog.site import Notice, Site
from microblog.web import (
    about,
    access,
    accounts,
    admin,
    admin_appeals,
    admin_applications,
    admin_bans,
    admin_invitations,
    admin_people,
    admin_reports,
    admin_rights,
    admin_settings,
    appeals,
    banned,
    bodies,
    claims,
    crossposts,
    dev_mail,
    disowning,
    email_address,
    errors,
    export,
    follow_requests,
    follows,
    guard,
    headers,
    health,
    identity,
    imports,
    journal,
    leaving,
    limits,
    live,
    login,
    mail_settings,
    media,
    metrics,
    moderation,
    notifications,
    passkeys,
    passwords,
    plain_files,
    portraits,
    posts,
    privacy,
    profile_settings,
    providers,
    reauthentication,
    register,
    reports,
    second_step,
    sessions,
    sharing,
    threads,
    timelines,
    two_factor,
    unsubscribe,
    user_name,
    ways_in,
)  # fmt: skip
from microblog.web import (
    identities as identity_pages,
)
from microblog.web import (
    invitations as invitation_pages,
)
from microblog.web import (
    settings as settings_pages,
)
from microblog.web.feed import Feed
from microblog.web.interests import Interests
from microblog.web.rendering import resource, warm

MAILS_AN_HOUR = 10  # to one person; what is over joins a digest (SECURITY 39)
NO_LIMIT = 1_000_000
KEEP_SETTLED_MAIL = timedelta(days=30)

NO_SMTP = N_("No SMTP server is configured: mails stay queued. Set MICROBLOG_SMTP_URL.")
STOPPED = N_("Mail is stopped: %(reason)s")
AWAY = N_("The bus is away: what other processes do is seen within a second.")
UNLIMITED = N_("Rate limits are off. Never run a public site like this.")

INTERFACES = (
    about, accounts, admin, admin_appeals, admin_applications, admin_bans, admin_invitations,
    admin_people, admin_reports, admin_rights, admin_settings, appeals, claims, crossposts,
    disowning, email_address, export, follows, health, identity_pages, imports, invitation_pages,
    leaving, live, login, mail_settings, media, metrics, moderation, notifications, passkeys,
    passwords, plain_files, portraits, posts, profile_settings, providers, reauthentication,
    register, reports, second_step, sessions, settings_pages, sharing, threads, timelines,
    two_factor, unsubscribe, user_name, follow_requests, privacy,
)  # fmt: skip


class Machinery:
    """Everything that runs beside requests: consumers of the log, the mail sender, housekeeping."""

    def __init__(self, site: Site) -> None:
        self.site = site
        settings = site.settings
        self.transport = _transport(settings)
        compose = (
            signin_emails.composers(settings.base_url, settings.secret_key, settings.has_passwords)
            | identity_emails.composers(settings.base_url)
            | moderation_emails.composers(settings.base_url, site.appeal_key)
            | notification_emails.composers(settings.base_url, site.unsubscribe_key)
        )
        self.sender = MailSender(
            site.db,
            compose
            | departure_emails.composers(settings.base_url)
            | archive_emails.composers(settings.base_url)
            | admission_emails.composers(settings.base_url),
            self._renderer(),
            self.transport,
            owner=secrets.token_hex(6),
            hourly=MAILS_AN_HOUR if settings.limits == "default" else NO_LIMIT,
            journal=settings.data_dir / "mail",
        )
        self.sender.beat = partial(self._beat, "mail sender")
        self.crossposts = CrosspostSender(
            site.db, Seal.of(PURPOSE, settings.secret_key, settings.secret_key_old),
            settings.providers, site.outbound, owner=secrets.token_hex(6),
        )  # fmt: skip
        self.crossposts.beat = partial(self._beat, "crossposts")
        self.builder = Builder(site.db, settings.data_dir, settings.host)
        self.builder.beat = partial(self._beat, "archives")
        self.importer = Importer(
            site.db, settings.data_dir, {settings.host, *guard.hosts(settings)}
        )
        self.importer.beat = partial(self._beat, "imports")
        self.links = LinkChecker(site.db, site.outbound, settings.base_url)
        self.consumers = (
            make_consumer(settings.mail_hold), accounts_consumer, follows_consumer,
        )  # fmt: skip

    def steps(self) -> dict[str, tuple[Step, float]]:
        """Name of each loop, what it does, and how often it does so unasked, in seconds."""
        consumers: dict[str, tuple[Step, float]] = {
            consumer.name: (partial(consumer.catch_up, self.site.db), 1.0)
            for consumer in self.consumers
        }
        steps: dict[str, tuple[Step, float]] = consumers | {
            "mail sender": (self.sender.step, 1.0),
            "archives": (self.builder.step, 2.0),
            "imports": (self.importer.step, 2.0),
            "links of profiles": (self.links.step, 5.0),
            "departures": (self._let_go, 1.5),  # what is taken back is to be so within two
            "housekeeping": (self._keep_house, 3600.0),
            "suspensions": (partial(self._in_turns, moderating.lift_ended), 60.0),
        }
        if self.site.settings.copies_posts:
            steps["crossposts"] = (self.crossposts.step, 1.5)
        return steps

    def _renderer(self) -> Renderer:
        """It goes on with the name that administrators give the site."""
        settings, renderer = self.site.settings, _renderer(self.site.settings)

        def rename() -> None:
            name = self.site.chosen.name
            renderer.rename(name, _sender(settings, name))

        self.site.on_change.append(rename)
        return renderer

    def wakers(self) -> Wakers:
        """Which commits wake which of them."""
        consumers = {consumer.name: consumer.kinds for consumer in self.consumers}
        return consumers | {"mail sender": frozenset({outbox.MAIL})}

    def notices(self) -> list[Notice]:
        found = []
        if self.transport is None:
            found.append(Notice(NO_SMTP))
        if self.sender.stopped:
            found.append(Notice(STOPPED, {"reason": self.sender.stopped}))
        if self.site.bus and self.site.bus.is_away:
            found.append(Notice(AWAY))
        if self.site.settings.limits == "off":
            found.append(Notice(UNLIMITED))
        return found

    async def _keep_house(self) -> None:
        moment = clock.now()
        before = moment - timedelta(days=self.site.settings.log_days)
        async with self.site.db.reading() as session:
            done = await readers.read_by_all(session, [each.name for each in self.consumers])
        await self._in_turns(partial(events.trim, before=before, through=done))
        await self._in_turns(partial(outbox.forget_settled, before=moment - KEEP_SETTLED_MAIL))
        await self._in_turns(signin.forget_expired)
        await self._in_turns(archives.forget_expired)
        await self._in_turns(bringing.forget_expired)
        await self._in_turns(identities.forget_spent)
        await self._in_turns(places.forget_offers)
        await self._in_turns(invitations.forget_ended)
        await self._in_turns(applications.lapse)
        await self._sweep_media()

    async def _let_go(self) -> None:
        async with self.site.db.reading() as session:
            leaving = await departures.unfinished(session)
        for account_id in leaving:
            await self._remove_pictures(account_id)
            await self._in_turns(partial(erasure.go_on, account_id=account_id))

    async def _remove_pictures(self, account_id: int) -> None:
        """The files before the row that names them: what is cut off in between begins again."""
        async with self.site.db.reading() as session:
            names = await departures.pictures_left(session, account_id)
        where = store.folder(self.site.settings.data_dir)
        await asyncio.to_thread(store.remove, where, names)

    async def _sweep_media(self) -> None:
        async with self.site.db.reading() as session:
            shown = await pictures.all_shown(session)
        where = store.folder(self.site.settings.data_dir)
        await asyncio.to_thread(store.sweep, where, shown)

    async def _in_turns(self, forget: Callable[[Session], Awaitable[bool]]) -> None:
        """Some at a time, so that others write in between."""
        more = True
        while more:
            async with self.site.db.writing() as session:
                more = await forget(session)

    def _beat(self, name: str) -> None:
        """A long step is no dead one."""
        if (pulse := self.site.pulses.get(name)) is not None:
            pulse.beat = time.monotonic()

    async def close(self) -> None:
        """Before the loops are cancelled: a mail cut off in its last word would be sent twice."""
        await asyncio.gather(self.sender.stop(), self.crossposts.stop())


def create_app(settings: Settings) -> Quart:
    """The web application.  The database must have its newest schema (`kernel.schema`)."""
    return inhabited(routed(settings), settings)


def routed(settings: Settings) -> Quart:
    """All that is the same in every process of a site, which forks can share: who may ask what."""
    app = Quart("microblog", static_folder=None)
    identity.configure(app, settings)
    _install(app, is_dev=settings.is_dev)
    return app


def inhabited(app: Quart, settings: Settings) -> Quart:
    """With what each process has of its own: its connections, its sockets, its loops."""
    site = Site(settings, Database(settings.url), Hub())
    app.extensions["microblog"] = site
    feed = Feed(site.db, site.hub, site.refresh)
    machinery = Machinery(site)
    site.notices = machinery.notices
    site.consumers = {consumer.name: consumer.kinds for consumer in machinery.consumers}
    app.extensions["machinery"] = machinery
    app.extensions["feed"] = feed
    front: Any = live.Live(app, app.extensions["QUART_AUTH"][0], site, feed)
    app.extensions["live"] = front
    app.asgi_app = front  # type: ignore[method-assign]
    _keep_running(app, site, feed, machinery)
    return app


def _install(app: Quart, *, is_dev: bool) -> None:
    """In the order of a request: its log line, its host and origin, who asks, may they, how
    often."""
    bodies.install(app)
    journal.install(app)
    errors.install(app)
    parts = (guard, identity, banned, access, ways_in, reauthentication, limits, headers)
    for part in parts:
        part.install(app)
    for interface in INTERFACES:
        app.register_blueprint(interface.pages)
    if is_dev:
        app.register_blueprint(dev_mail.pages)
    access.refuse_undeclared(app)


def _keep_running(app: Quart, site: Site, feed: Feed, machinery: Machinery) -> None:
    @app.while_serving
    async def loops() -> AsyncGenerator[None, None]:
        async with site.db.writing() as session:
            await events.ensure_epoch(session)
        await feed.start()
        async with site.db.reading() as session:
            await site.refresh(session)
        steps: dict[str, tuple[Step, float]] = {
            "live feed": (feed.subscriber.step, 1.0),
            "login sessions": (feed.recheck_sessions, 60.0),
        }
        interests: bus.Interests = Interests(site.db, site.hub)
        if site.settings.workers_here == "on":
            steps |= machinery.steps()
            interests = everything  # its consumers follow the whole log
        async with running(site, steps, interests, machinery.wakers()), _sockets(site, feed):
            warming = asyncio.create_task(warm())
            yield
            await stopped([warming])
            await machinery.close()
        await site.db.close()


@asynccontextmanager
async def _sockets(site: Site, feed: Feed) -> AsyncIterator[None]:
    task = loop(site, "sockets", feed.sweep, 1.0, site.hub.attention)
    try:
        yield
    finally:
        await stopped([task])


def _renderer(settings: Settings) -> Renderer:
    return Renderer(
        resource("templates"),
        site_name=settings.site_name,
        base_url=settings.base_url,
        sender=_sender(settings, settings.site_name),
        with_passwords=settings.has_passwords,
    )


def _transport(settings: Settings) -> Transport | None:
    if settings.smtp is not None:
        return SmtpTransport(
            settings.smtp, _sender(settings, settings.site_name).address, helo=settings.host
        )
    return KeepTransport() if settings.is_dev else None


def _sender(settings: Settings, site_name: str) -> Mailbox:
    try:
        return sender_mailbox(settings.sender, site_name)
    except ValueError as error:
        raise SettingsError(f"{error}.") from error
