"""The web server: Hypercorn in this process, bound before anything else, drained at its end.

    place = listen(config_file, settings.bind)
    await serve(app, place, on_ready=print, on_drain=hub.close_all)

On SIGTERM or SIGINT no new connection is taken, `on_drain` closes the open sockets, requests under
way finish, what is left after ``graceful_timeout`` is dropped, and only then the app's lifespan
ends.  With the default of eight seconds the process is gone within ten.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import ssl
import sys
import threading
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypercorn.asyncio
from hypercorn.config import Config
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    Scope,
)
from hypercorn.utils import LifespanFailureError, LifespanTimeoutError

from microblog import wire
from microblog.wire import Connection

log = logging.getLogger(__name__)

KEYS = frozenset({
    "backlog", "bind", "ca_certs", "certfile", "ciphers", "graceful_timeout",
    "h11_max_incomplete_size", "include_date_header", "include_server_header",
    "keep_alive_max_requests", "keep_alive_timeout", "keyfile", "keyfile_password", "read_timeout",
    "root_path", "server_names", "shutdown_timeout", "ssl_handshake_timeout", "startup_timeout",
    "websocket_max_message_size", "websocket_ping_interval", "workers",
})  # fmt: skip
NUMBERS = (
    "backlog",
    "interval",
    "requests",
    "size",
    "timeout",
    "workers",
)  # what their keys end with
SIGNALS = (signal.SIGTERM, signal.SIGINT)
M_MMAP_THRESHOLD = -3  # malloc.h
MOST_WORKERS = 64
AT_ONCE = 4  # connections a worker takes before it does something else
MOMENT = 0.5  # seconds given to each harder step once the grace is over


class ServeError(Exception):
    """Why the server cannot run, in one line."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where we listen already, by sockets that worker processes inherit, and how we serve there."""

    config: Config
    urls: list[str]
    workers: int

    @property
    def patience(self) -> float:
        """Seconds after which no server can still be busy with its stop."""
        return float(self.config.graceful_timeout) + 4 * MOMENT

    @property
    def files(self) -> list[int]:
        return [int(bind.removeprefix("fd://")) for bind in self.config.bind]

    def close(self) -> None:
        for file in self.files:
            os.close(file)


def listen(config_file: Path, bind: str | None, workers: int | None = None) -> Place:
    """Take the ports.  `bind` and `workers`, if given, beat the file."""
    config = _configured(config_file, bind=bind or None, workers=workers)
    urls, count = _bound(config), int(config.workers)
    config.workers = 1  # Hypercorn's own would be others, and it warns of them
    return Place(config, urls, count)


async def serve(
    app: ASGIFramework,
    place: Place,
    *,
    on_ready: Callable[[list[str]], None],
    on_drain: Callable[[], Awaitable[None]],
    supervised: bool = False,
) -> None:
    """Serve until a signal.  `on_ready` gets the URLs in use.

    A second signal ends the process at once, unless it is `supervised`, one of several: then the
    signal has come to the whole group and once more from the parent, who knows how to kill.
    """
    config = place.config
    wire.install()
    asyncio.get_running_loop().set_exception_handler(_report)
    stop = _Stop(app, place, on_drain, supervised=supervised)
    draining = asyncio.create_task(stop.drain())
    started = partial(on_ready, place.urls)
    trigger = partial(stop.until_asked, _sharing(place, started) if supervised else started)
    try:
        with stop.on_signals():
            await hypercorn.asyncio.serve(stop.app, config, shutdown_trigger=trigger, mode="asgi")
            await draining
    except (LifespanFailureError, LifespanTimeoutError) as error:
        raise ServeError(f"The application failed: {error}") from error
    finally:
        draining.cancel()


def _sharing(place: Place, started: Callable[[], None]) -> Callable[[], None]:
    """Take a few connections in a turn of the loop, where asyncio would take all of the backlog.

    Of 400 that waited for two workers at their start, the first took 300 instead of all.
    """
    backlog, place.config.backlog = place.config.backlog, AT_ONCE

    def and_restore_backlog() -> None:  # which asyncio has told the kernel as well
        for file in place.files:
            with socket.socket(fileno=os.dup(file)) as sock:
                sock.listen(backlog)
        started()

    return and_restore_backlog


def _configured(file: Path, **beating: object) -> Config:
    try:
        given = tomllib.loads(file.read_text())
        for key, value in given.items():
            if key not in KEYS:  # Hypercorn would ignore a misspelt one in silence
                raise ServeError(f"{file}: {key} is none of {', '.join(sorted(KEYS))}.")
            if key.endswith(NUMBERS) and not isinstance(value, (int, float)):
                raise ServeError(f"{file}: {key} must be a number.")
        config = Config.from_mapping(given | {k: v for k, v in beating.items() if v is not None})
        config.create_ssl_context()
    except (OSError, ValueError) as error:
        raise ServeError(f"{file}: {error}") from error
    if config.workers not in range(1, MOST_WORKERS + 1):
        raise ServeError(f"Workers must be a whole number from 1 to {MOST_WORKERS}.")
    config.errorlog = logging.getLogger("hypercorn.error")
    config.errorlog.setLevel(logging.WARNING)  # its "Running on fd://5" says less than on_ready
    return config


def _bound(config: Config) -> list[str]:
    """Take the ports, so that Hypercorn, in each worker process, is given open ones."""
    scheme = "https" if config.ssl_enabled else "http"
    sockets = [_listening(bind, config.backlog) for bind in config.bind]
    urls = [_url(scheme, sock) for sock in sockets]
    config.bind = [f"fd://{sock.detach()}" for sock in sockets]
    return urls


def _listening(bind: str, backlog: int) -> socket.socket:
    """Listening, not only bound: of two that are only bound to a port both believe they have it."""
    try:
        if bind.startswith(("unix:", "fd://")):
            (sock,) = Config.from_mapping(bind=bind).create_sockets().insecure_sockets
            sock.listen(backlog)
            return sock
        place = urlsplit(f"//{bind}")
        if not place.hostname or place.port is None:
            raise ValueError("a host and a port are needed")
        family = socket.AF_INET6 if ":" in place.hostname else socket.AF_INET
        return socket.create_server((place.hostname, place.port), family=family, backlog=backlog)
    except (OSError, ValueError) as error:
        raise ServeError(_reason(bind, error)) from error


def _reason(bind: str, error: Exception) -> str:
    host, _, port = bind.rpartition(":")
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is in use: stop what uses it, or choose another."
        case errno.EACCES:
            return f"Port {port} needs more rights than this user has: choose one above 1023."
    return f"Cannot listen on {bind!r} (the form is 127.0.0.1:8000): {error}."


def _url(scheme: str, sock: socket.socket) -> str:
    address = sock.getsockname()
    if sock.family == socket.AF_UNIX:
        return f"unix:{address}"
    host = f"[{address[0]}]" if sock.family == socket.AF_INET6 else address[0]
    return f"{scheme}://{host}:{address[1]}"


def _settle_memory() -> None:
    """What is loaded stays, so collecting need not look at it, nor often.

    With 5,000 sockets: 1.36 times the deliveries, p99 264 instead of 1,136 ms (PERFORMANCE).
    The second number bounds a pause: five times 10,000 new objects are gone through in 30 ms; with
    fifty, everybody waited for 0.4 to 0.6 s some time after thousands had come.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        # glibc (musl has no such call) would learn from the first Argon2 hashes to keep their
        # 19 MiB for the next.
        mallopt(M_MMAP_THRESHOLD, 1024 * 1024)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 5, 1000)


def _report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """One line for what nobody caught, nothing for what peers do to their connections."""
    error = context.get("exception")
    if isinstance(error, BaseExceptionGroup):
        error = error.split(_is_the_peers)[1]
    elif error is not None and _is_the_peers(error):
        error = None
    if error is not None or "exception" not in context:
        log.error("%s: %r", context["message"], error)
        log.debug("Its traceback", exc_info=error)


def _is_the_peers(error: BaseException) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError, ssl.SSLError)) or (
        isinstance(error, OSError)
        and error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENOTCONN)
    )


class _Stop:
    """Everything between the wish to stop and the end of the app's lifespan."""

    def __init__(
        self,
        app: ASGIFramework,
        place: Place,
        on_drain: Callable[[], Awaitable[None]],
        *,
        supervised: bool,
    ) -> None:
        self._app = app
        self._config = config = place.config
        self._files = place.files
        self._on_drain = on_drain
        self._supervised = supervised
        self._grace = config.graceful_timeout
        self._asked = asyncio.Event()
        self._drained = asyncio.Event()
        config.graceful_timeout += 3 * MOMENT  # Hypercorn's own, which cuts without telling apps

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, self._on_signal)
        try:
            yield
        finally:
            for number in SIGNALS:
                loop.remove_signal_handler(number)

    def _on_signal(self) -> None:
        if self._supervised and self._asked.is_set():
            return
        self._asked.set()
        if not self._supervised:
            for number in SIGNALS:  # a second one ends the process at once
                asyncio.get_running_loop().remove_signal_handler(number)
                signal.signal(number, signal.SIG_DFL)
        # Handlers that swallow cancellation, and threads, could keep the process for ever.
        last = threading.Timer(self._grace + 3.5 * MOMENT, _leave)
        last.daemon = True
        last.start()

    async def until_asked(self, started: Callable[[], None]) -> None:
        """Hypercorn awaits this once it takes connections; whatever ends it starts the drain."""
        try:
            _settle_memory()
            started()
            await self._asked.wait()
            await self._take_last()
        finally:
            self._asked.set()

    async def _take_last(self) -> None:
        """asyncio fails with connections that it has accepted but not opened when servers close
        (python/cpython#109564)."""
        for file in self._files:
            asyncio.get_running_loop().remove_reader(file)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def app(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> Awaitable[None]:
        if scope["type"] == "lifespan":
            receive = partial(self._after_drain, receive)
        return self._app(scope, receive, send)

    async def _after_drain(self, receive: ASGIReceiveCallable) -> ASGIReceiveEvent:
        """Handlers still need what the app's lifespan holds, such as the database."""
        message = await receive()
        if message["type"] == "lifespan.shutdown" and self._asked.is_set():
            await self._drained.wait()
        return message

    async def drain(self) -> None:
        """Leave no connection: from Python 3.12 on Hypercorn waits for the last one (#308)."""
        await self._asked.wait()
        ends = asyncio.get_running_loop().time() + self._grace
        self._config.keep_alive_max_requests = 0  # answers say "connection: close"
        await Connection.take_no_more()
        await self._close_sockets()
        await _gone(ends)
        if left := len(Connection.alive):
            log.warning("Dropping %d connections that did not end in %g s", left, self._grace)
        for harder in (Connection.hang_up, Connection.cut):
            for connection in tuple(Connection.alive):
                harder(connection)
            await _gone(asyncio.get_running_loop().time() + MOMENT)
        self._drained.set()

    async def _close_sockets(self) -> None:
        closing = asyncio.ensure_future(self._on_drain())
        await asyncio.wait({closing}, timeout=self._grace)
        if not closing.done():
            closing.cancel()
            log.warning("Closing the open sockets took longer than %s s", self._grace)
        elif not closing.cancelled() and (error := closing.exception()):
            log.error("Closing the open sockets failed", exc_info=error)


async def _gone(deadline: float) -> None:
    """Wait until no connection is left."""
    clock = asyncio.get_running_loop().time
    while (tasks := {c.task for c in Connection.alive}) and (left := deadline - clock()) > 0:
        await asyncio.wait(tasks, timeout=left)


def _leave() -> None:
    log.warning("Something would not stop; leaving without it")
    os._exit(0)  # all that was acknowledged is on disk
