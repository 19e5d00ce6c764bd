"""The live socket, ``GET /live?since=<position>&stream=<stream>`` (DESIGN §8).

A raw ASGI route in front of Quart: a socket then costs 22 KiB instead of 41, and messages go out as
finished frames.  Everything is decided before the socket is accepted, so a refusal is a plain
HTTP status, which browsers keep from the page: it asks for it by a plain GET.  The reader loop is
what stops a flood: Hypercorn and Quart would queue it without a bound.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs

from quart import Blueprint, Quart, ResponseReturnValue, current_app, request
from quart_auth import QuartAuth
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header, parse_cookie

from microblog.kernel import events, i18n, logs, tokens
from microblog.kernel.db import FAULTS
from microblog.kernel.errors import NotFound
from microblog.kernel.events import Position
from microblog.kernel.metrics import HANDSHAKES
from microblog.kernel.model import Session
from microblog.kernel.shared import Shared
from microblog.live.connection import FLOOD, TOO_BIG, TOO_SLOW, Connection, Listener
from microblog.live.wires import Outlet, QueuedOutlet, Send
from microblog.notifications import actions as notifications
from microblog.notifications import queries as concerns
from microblog.notifications.queries import Arrival
from microblog.signin.queries import Viewer
from microblog.site import Site
from microblog.timelines import streams
from microblog.timelines.streams import Stream
from microblog.web import client
from microblog.web.access import public
from microblog.web.arrivals import Arrivals
from microblog.web.feed import Feed, Start
from microblog.web.guard import hosts, origins

MOST_BYTES = 4096
MOST_MESSAGES = 50
WINDOW = 10.0
MOST_ELEMENTS = 50
SOCKETS_PER_ACCOUNT = 20
SOCKETS_PER_ADDRESS = 50

pages = Blueprint("live", __name__)
log = logging.getLogger(__name__)

_ACCEPTED = HANDSHAKES.labels(101)
_ELEMENT = re.compile(r"(post|notification)-([1-9][0-9]{0,18})")

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]


@pages.get("/live")
@public
async def ask() -> ResponseReturnValue:
    """What the handshake would be answered; 204 where it would be accepted."""
    live: Live = current_app.extensions["live"]
    return "", await live.status(cast("Scope", request.scope))


class Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Live:
    """An ASGI app that answers ``/live`` and hands everything else to `inner`."""

    def __init__(self, app: Quart, auth: QuartAuth, site: Site, feed: Feed) -> None:
        self._inner: Any = app.asgi_app
        self._app = app
        self._auth = auth
        self._site = site
        self._feed = feed
        self._arrivals = Arrivals(feed.reading)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._inner(self._seen_from_outside(scope), receive, send)
            return
        await receive()  # websocket.connect
        logs.request_id.set(secrets.token_hex(6))
        try:
            listener, start = await self._admit(scope)
        except Refused as refused:
            await _refuse(send, refused.status)
        except FAULTS as error:
            log.warning("a page could not connect: %s", getattr(error, "orig", error))
            await _refuse(send, 503)
        else:
            await self._attend(scope, listener, start, receive, send)

    async def status(self, scope: Scope) -> int:
        try:
            await self._admit(scope)
        except Refused as refused:
            return refused.status
        return 204

    def _seen_from_outside(self, scope: Scope) -> Scope:
        """The scheme people use: a proxy in front speaks TLS, and BASE_URL says so."""
        return scope | {"scheme": "https"} if self._site.settings.https else scope

    async def _admit(self, scope: Scope) -> tuple[Listener, Start]:
        headers = _headers(scope)
        self._check_address(scope, headers)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        stream = Stream.parse(query.get("stream", ["home"])[0])
        if stream is None:
            raise Refused(400)
        arrived = await self._arrival(headers)
        asking = arrived.viewer if arrived else None
        topics, present = await self._stand(stream, arrived)
        listener = self._listener(scope, headers, topics, asking)
        self._check_room(listener)
        return listener, Start(_position(query), present, asking.unread if asking else 0)

    async def _stand(
        self, stream: Stream, arrived: Arrival | None
    ) -> tuple[tuple[str, ...], Position]:
        """What the page listens to, and where the log stands."""
        if arrived is not None and stream.kind != "thread":  # most: nothing is to be asked
            return streams.topics_of(stream, arrived.viewer.id), arrived.position
        async with self._feed.reading() as session:
            topics = await _topics(session, stream, arrived.viewer if arrived else None)
            return topics, arrived.position if arrived else await events.present(session)

    def _check_address(self, scope: Scope, headers: dict[str, str]) -> None:
        settings = self._site.settings
        if scope["path"] != "/live":
            raise Refused(404)
        if headers.get("host", "") not in hosts(settings):
            raise Refused(400)
        # Exactly ours: a browser sends the cookie along for any page that opens a socket here.
        # Without an Origin it is no browser, and then it must not bring a browser's cookie.
        # Whoever only asks is told a status, which a browser shows to no other site.
        origin = headers.get("origin")
        is_known = origin in origins(settings) or (origin is None and not self._cookie(headers))
        if scope["type"] == "websocket" and not is_known:
            raise Refused(403)
        if self._site.hub.draining:
            raise Refused(503)

    async def _arrival(self, headers: dict[str, str]) -> Arrival | None:
        cookie = self._cookie(headers)
        token = self._auth.load_token(cookie, self._app) if cookie else None
        return await self._arrivals.of(tokens.digest(token)) if token else None

    def _cookie(self, headers: dict[str, str]) -> str | None:
        return parse_cookie(headers.get("cookie", "")).get(str(self._auth.cookie_name))

    def _listener(
        self,
        scope: Scope,
        headers: dict[str, str],
        topics: tuple[str, ...],
        asking: Viewer | None,
    ) -> Listener:
        accepted = parse_accept_header(headers.get("accept-language", ""), LanguageAccept)
        language = i18n.chosen(asking.language if asking else None, accepted.values())
        forwarded = headers.get("x-forwarded-for", "")
        peer = (scope.get("client") or ("",))[0]
        address = client.resolved(peer, forwarded, self._site.settings.trusted_proxies)
        return Listener(
            topics,
            language,
            asking.id if asking else None,
            asking.session_id if asking else None,
            client.single(address),
        )

    def _check_room(self, listener: Listener) -> None:
        if self._site.settings.limits == "off":
            return
        mine, here = self._site.hub.open_sockets(listener.account_id, listener.address)
        if (shared := self._shared) is not None:  # with those at the other workers
            names = [shared.taken_elsewhere(name) for name in _places(listener)]
            here, mine = here + names[0], mine + sum(names[1:])
        if (listener.account_id and mine >= SOCKETS_PER_ACCOUNT) or here >= SOCKETS_PER_ADDRESS:
            raise Refused(429)

    async def _attend(
        self,
        scope: Scope,
        listener: Listener,
        start: Start,
        receive: Receive,
        send: Send,
    ) -> None:
        outlet = _outlet(scope, send)
        connection = Connection(listener, outlet, send)
        reader = _Reader(self._site, connection, receive)
        # Counted before anybody else is let in, connected first and caught up next: what happens in
        # between is held, never missed.
        with self._counted(listener), self._site.hub.connected(connection):
            await send({"type": "websocket.accept"})
            _ACCEPTED.inc()
            pumps = [outlet.pump()] if isinstance(outlet, QueuedOutlet) else []
            if not self._feed.greet(connection, start):
                await _beside(reader.run(), self._catch_up(connection, start), *pumps)
            elif pumps:
                await _beside(reader.run(), *pumps)
            else:  # most: no task is needed
                await reader.run()
        if connection.ending is not None:
            await connection.close()

    @property
    def _shared(self) -> Shared | None:
        return cast("Shared | None", self._app.extensions.get("shared"))

    def _counted(self, listener: Listener) -> AbstractContextManager[None]:
        """In the eyes of the other workers."""
        return self._shared.inside(*_places(listener)) if self._shared else nullcontext()

    async def _catch_up(self, connection: Connection, start: Start) -> None:
        try:
            await self._feed.catch_up(connection, start)
        except FAULTS as error:
            log.warning("a page could not catch up: %s", getattr(error, "orig", error))
            connection.end(TOO_SLOW)  # it comes back with its position


async def _beside(main: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]) -> None:
    """Until `main` has ended."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(other) for other in others]
        await main
        for task in tasks:
            task.cancel()


class _Reader:
    """What a page may say: only which posts and notifications were seen."""

    def __init__(self, site: Site, connection: Connection, receive: Receive) -> None:
        self._site = site
        self._connection = connection
        self._receive = receive
        self._times: deque[float] | None = None  # most pages only listen, and it takes 700 bytes

    async def run(self) -> None:
        """Until the page goes away or has to."""
        while self._connection.ending is None:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return
            await self._hear(message)

    async def _hear(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        if self._flooded() or not text:
            self._connection.end(FLOOD)
        elif len(text) > MOST_BYTES or len(text.encode("utf-8", "replace")) > MOST_BYTES:
            self._connection.end(TOO_BIG)
        elif (seen := _seen(text)) is None:
            self._connection.end(FLOOD)
        elif self._connection.listener.account_id is not None:
            await self._note(self._connection.listener.account_id, *seen)

    def _flooded(self) -> bool:
        moment = time.monotonic()
        times = self._times = self._times or deque(maxlen=MOST_MESSAGES)
        full = len(times) == MOST_MESSAGES and moment - times[0] < WINDOW
        times.append(moment)
        return full

    async def _note(self, account_id: int, posts: list[int], news: list[int]) -> None:
        """What cannot be noted costs a mail too many, not the socket."""
        try:
            async with self._site.db.reading() as session:
                concerning = await concerns.concerned(session, account_id, posts)
                unread = await concerns.unread_among(session, account_id, news)
            if concerning or unread:
                async with self._site.db.writing() as session:
                    await notifications.see(session, account_id, concerning, unread)
        except FAULTS as error:
            log.warning("what was seen could not be noted: %s", getattr(error, "orig", error))


async def _topics(session: Session, stream: Stream, asking: Viewer | None) -> tuple[str, ...]:
    if stream.kind == "home" and asking is None:
        raise Refused(401)
    try:
        return await streams.topics(session, stream, asking.id if asking else None)
    except NotFound:
        raise Refused(404) from None


def _places(listener: Listener) -> list[str]:
    """What its socket is counted under: its address, and its account if it has one."""
    found = [f"address {listener.address}"]
    return found if listener.account_id is None else [*found, f"account {listener.account_id}"]


def _headers(scope: Scope) -> dict[str, str]:
    """By lower-case name.  HTTP/2 may send cookies apart, and proxies their X-Forwarded-For."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        joint = "; " if key == "cookie" else ","
        found[key] = f"{found[key]}{joint}{text}" if key in found else text
    return found


def _seen(text: str) -> tuple[list[int], list[int]] | None:
    """Ids of posts and notifications in a `seen` message; None if it is anything else."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    elements = said.get("elements") if isinstance(said, dict) else None
    if (
        not isinstance(elements, list)
        or said.get("type") != "seen"
        or len(elements) > MOST_ELEMENTS
    ):
        return None
    matches = [_ELEMENT.fullmatch(one) if isinstance(one, str) else None for one in elements]
    if not all(matches):
        return None
    found: dict[str, list[int]] = {"post": [], "notification": []}
    for match in matches:
        if match and int(match[2]) < 2**63:
            found[match[1]].append(int(match[2]))
    return found["post"], found["notification"]


def _position(query: dict[str, list[str]]) -> Position | None:
    """Where the page stands; a position that cannot be read is one of another history."""
    if "since" not in query:
        return None
    return Position.parse(query["since"][0]) or Position("", 0)


def _outlet(scope: Scope, send: Send) -> Outlet:
    wire: Outlet | None = scope.get("extensions", {}).get("microblog.wire")
    return QueuedOutlet(send) if wire is None else wire


async def _refuse(send: Send, status: int) -> None:
    HANDSHAKES.labels(status).inc()
    await send({"type": "websocket.http.response.start", "status": status,
                "headers": [(b"content-length", b"0")]})  # fmt: skip
    await send({"type": "websocket.http.response.body", "body": b""})
