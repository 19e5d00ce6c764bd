"""What a request may bring: counted before it is taken apart, and dropped once it is too much."""

from __future__ import annotations

from io import BytesIO
from typing import Any, TypeAlias

from quart import Quart, Request
from quart.formparser import FormDataParser
from quart.wrappers.request import Body
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

MOST_BYTES = 1024 * 1024
MOST_BYTES_OF_UPLOADS = 6 * MOST_BYTES
UPLOADS = frozenset({"/settings/profile/avatar", "/settings/profile/header"})
SLOWEST = 30  # seconds
MOST_PARTS = 20
# Taking half a million empty fields apart holds up everybody for two seconds.
MOST_PAIRS = 1000


Parsed: TypeAlias = tuple[MultiDict[str, Any], MultiDict[str, Any]]


class BoundedBody(Body):
    _arrived = 0

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
        super().__init__(**bounds, stream_factory=_in_memory)

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
        super().__init__(method, scheme, path, *rest, **more)


def _in_memory(*_sizes: object) -> BytesIO:
    """Where a file of a form is kept: it is bounded, and no name of it reaches the disk."""
    return BytesIO()


def install(app: Quart) -> None:
    app.request_class = BoundedRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES, BODY_TIMEOUT=SLOWEST, MAX_FORM_PARTS=MOST_PARTS
    )
