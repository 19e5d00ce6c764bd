"""What a request may bring: counted before it is taken apart, and dropped once it is too much."""

from __future__ import annotations

import asyncio
import tempfile
from io import BytesIO
from typing import Any, TypeAlias, cast

from quart import Quart, Request, current_app, request
from quart.asgi import ASGIHTTPConnection
from quart.formparser import FormDataParser
from quart.wrappers.request import Body
from quart_auth import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from microblog.kernel import tokens
from microblog.kernel.errors import N_, Forbidden, NoRoom, TooMany
from microblog.signin import queries as logins
from microblog.site import site

MOST_BYTES = 1024 * 1024
MOST_BYTES_OF_UPLOADS = 6 * MOST_BYTES
UPLOADS = frozenset({"/settings/profile/avatar", "/settings/profile/header"})
# A copy of all that is somebody's goes to the disk as it comes, for those who are signed in.
MOST_BYTES_OF_COPIES = 64 * MOST_BYTES
COPIES = frozenset({"/settings/import/archive"})
COPIES_AT_ONCE = 4
AHEAD = MOST_BYTES // 4  # in memory; until it is written the rest waits on the line
SLOWEST = 30  # seconds
SLOWEST_COPY = 600
MOST_PARTS = 20
# Taking half a million empty fields apart holds up everybody for two seconds.
MOST_PAIRS = 1000


SIGN_IN = N_("Sign in first, then choose the file once more.")
MANY = N_("Several people are sending large files just now. Try again in a minute.")
FULL = N_("There is no room left for this file. Nothing was changed; try again later.")

Parsed: TypeAlias = tuple[MultiDict[str, Any], MultiDict[str, Any]]


class BoundedBody(Body):
    _arrived = 0

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        super().__init__(expected_content_length, max_content_length)
        self._has_room = asyncio.Event()

    async def __anext__(self) -> bytes:
        self._has_room.set()
        return await super().__anext__()

    async def room(self) -> None:
        """Until what has arrived is being read."""
        while len(self._data) > AHEAD and not self._complete.is_set():
            self._has_room.clear()
            await self._has_room.wait()

    def append(self, data: bytes) -> None:
        """Parts that are read while others still arrive count, too.

        The refusal is in a cycle with its traceback: what it holds stays for very long.
        """
        self._arrived += len(data)
        super().append(data)
        if self._max_content_length is not None and self._arrived > self._max_content_length:
            self._must_raise = RequestEntityTooLarge()
            self.set_complete()
        if self._must_raise is not None:
            self._data.clear()


class BoundedForms(FormDataParser):
    def __init__(self, **bounds: Any) -> None:  # noqa: ANN401 - as the base class has them
        place = _in_memory
        if bounds["max_content_length"] == MOST_BYTES_OF_COPIES:
            bounds["max_content_length"] = MOST_BYTES  # of what the parser keeps to itself
            place = _on_disk
        super().__init__(**bounds, stream_factory=place)

    async def _parse_pairs(self, body: Body, *rest: Any) -> Parsed:  # noqa: ANN401
        if (await body).count(b"&") >= MOST_PAIRS:
            raise RequestEntityTooLarge
        return await self._parse_urlencoded(body, *rest)

    parse_functions: dict[str, Any] = {  # noqa: RUF012 - as the base class has it
        **FormDataParser.parse_functions,
        "application/x-www-form-urlencoded": _parse_pairs,
        "application/x-url-encoded": _parse_pairs,
    }


class BoundedRequest(Request):
    body_class = BoundedBody
    form_data_parser_class = BoundedForms

    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        *rest: Any,  # noqa: ANN401 - as the base class has them
        **more: Any,  # noqa: ANN401
    ) -> None:
        if path in UPLOADS:
            self._max_content_length = more["max_content_length"] = MOST_BYTES_OF_UPLOADS
        self.is_copy = path in COPIES and method == "POST"
        if self.is_copy:
            self._max_content_length = more["max_content_length"] = MOST_BYTES_OF_COPIES
            more["body_timeout"] = SLOWEST_COPY
        super().__init__(method, scheme, path, *rest, **more)
        if self.is_copy and self.mimetype != "multipart/form-data":
            self.is_copy = False
            self._max_content_length = self.body._max_content_length = MOST_BYTES  # noqa: SLF001


class BoundedConnection(ASGIHTTPConnection):
    async def handle_messages(self, request: Request, receive: Any) -> None:  # noqa: ANN401
        """Takes no more from the line than there is room for, where much may come."""
        if not (isinstance(request, BoundedRequest) and request.is_copy):
            await super().handle_messages(request, receive)
            return
        while (message := await receive())["type"] != "http.disconnect":
            body = cast(BoundedBody, request.body)
            body.append(message.get("body", b""))
            if not message.get("more_body", False):
                body.set_complete()
            await body.room()


class _Spool:
    """A file without a name, gone with the process; a full disk is nobody's mistake."""

    def __init__(self) -> None:
        try:
            self._file = tempfile.TemporaryFile(dir=site().settings.data_dir)  # noqa: SIM115
        except OSError as error:
            raise NoRoom(FULL) from error

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            raise NoRoom(FULL) from error

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._file, name)


def _on_disk(*_sizes: object) -> Any:  # noqa: ANN401 - what a stream can do
    return _Spool()


def _in_memory(*_sizes: object) -> BytesIO:
    """Where a file of a form is kept: it is bounded, and no name of it reaches the disk."""
    return BytesIO()


def install(app: Quart) -> None:
    app.request_class = BoundedRequest
    app.asgi_http_class = BoundedConnection
    app.extensions["copies_arriving"] = {}
    app.teardown_request(_dismiss)
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES, BODY_TIMEOUT=SLOWEST, MAX_FORM_PARTS=MOST_PARTS
    )


async def admit() -> None:
    """Before anything of a copy is read: is it somebody's, their only one, and are there not too
    many?  A cookie goes on being well signed when its session has ended."""
    if not getattr(request, "is_copy", False):
        return
    async with site().db.reading() as session:
        asking = await logins.viewer(session, tokens.digest(current_user.auth_id or ""))
    if asking is None:
        raise Forbidden(SIGN_IN)
    arriving = current_app.extensions["copies_arriving"]
    if len(arriving) >= COPIES_AT_ONCE or asking.id in arriving.values():
        raise TooMany(MANY, retry_after=60)
    arriving[id(request.body)] = asking.id


async def _dismiss(_error: BaseException | None) -> None:
    current_app.extensions["copies_arriving"].pop(id(request.body), None)
