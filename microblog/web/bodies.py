"""What a request may bring: counted before it is taken apart, and dropped once it is too much."""

from __future__ import annotations

from typing import Any, TypeAlias

from quart import Quart, Request
from quart.formparser import FormDataParser
from quart.wrappers.request import Body
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

MOST_BYTES = 1024 * 1024
SLOWEST = 30  # seconds
MOST_PARTS = 20
# Taking half a million empty fields apart holds up everybody for two seconds.
MOST_PAIRS = 1000


Parsed: TypeAlias = tuple[MultiDict[str, Any], MultiDict[str, Any]]


class BoundedBody(Body):
    def append(self, data: bytes) -> None:
        """The refusal is in a cycle with its traceback: what it holds stays for very long."""
        super().append(data)
        if self._must_raise is not None:
            self._data.clear()


class BoundedForms(FormDataParser):
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


def install(app: Quart) -> None:
    app.request_class = BoundedRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MOST_BYTES, BODY_TIMEOUT=SLOWEST, MAX_FORM_PARTS=MOST_PARTS
    )
