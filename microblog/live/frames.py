"""Messages to the browser, framed once and written to every socket that gets them.

A server's frames are not masked (RFC 6455, 5.1), so one frame serves all.  Uncompressed frames are
legal on a connection that negotiated compression.
"""

from __future__ import annotations

import json
from typing import Any

_TEXT = 0x81  # FIN and the opcode of text


class Message:
    """One JSON object as text and as a finished frame; the frame is made when first wanted."""

    __slots__ = ("_frame", "text")

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - whatever JSON can say
        self.text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        self._frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        if self._frame is None:
            self._frame = text_frame(self.text)
        return self._frame


def text_frame(text: str) -> bytes:
    """An unmasked, final text frame (RFC 6455, 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((_TEXT, size))
    elif size < 65_536:
        head = bytes((_TEXT, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((_TEXT, 127)) + size.to_bytes(8, "big")
    return head + payload
