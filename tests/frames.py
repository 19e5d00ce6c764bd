"""The live socket from a page's side, as cheaply as Python allows: the handshake, whole frames."""

from __future__ import annotations

from collections.abc import Callable

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
ACCEPTED = 101

_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)
_UNMASKED = b"\0\0\0\0"  # a mask that changes nothing


def handshake(port: int, path: str, *, cookie: str = "", offers: str = "") -> bytes:
    """`offers` is one more header line."""
    more = (f"Cookie: {cookie}\r\n" if cookie else "") + offers
    return _HANDSHAKE.format(path=path, port=port, more=more).encode()


def frame(head: int, payload: bytes) -> bytes:
    """A short one, from a client."""
    return bytes((head, 0x80 | len(payload))) + _UNMASKED + payload


def read_frames(data: bytes, take: Callable[[int, bytes], None]) -> bytes:
    """Have the whole ones taken, by first byte and payload; the rest.  A server does not mask."""
    start, size = 0, len(data)
    while size - start >= 2:
        length, body = data[start + 1], start + 2
        if length == 126:
            length, body = int.from_bytes(data[body : body + 2], "big"), body + 2
        elif length == 127:
            length, body = int.from_bytes(data[body : body + 8], "big"), body + 8
        if body + length > size:
            break
        take(data[start], data[body : body + length])
        start = body + length
    return data[start:]
