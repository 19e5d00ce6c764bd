"""Messages to the browser, framed once and written to every socket that gets them.

A server's frames are not masked (RFC 6455, 5.1), so one frame serves all.  Uncompressed frames are
legal on a connection that negotiated compression.  Several messages that one reader gets one after
another leave in one write: the system call is most of what a delivery costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

_TEXT = 0x81  # FIN and the opcode of text
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
MOST_TOGETHER = 64 * 1024  # bytes; far below what a connection may leave unsent


class Frame(NamedTuple):
    """What is no message: a ping, or the last frame."""

    frame: bytes


class Message:
    """One JSON object, or several one after another (`joined`), as texts and as finished frames."""

    __slots__ = ("frame", "length", "texts")

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401 - whatever JSON can say
        text = _written(fields)
        self.texts: tuple[str, ...] = (text,)
        self.length = len(text)  # of all texts, in characters
        self.frame = text_frame(text)

    @classmethod
    def joined(cls, messages: Sequence[Message]) -> Message:
        if len(messages) == 1:
            return messages[0]
        several = cls.__new__(cls)
        several.texts = tuple(text for message in messages for text in message.texts)
        several.length = sum(message.length for message in messages)
        several.frame = b"".join(message.frame for message in messages)
        return several


def packed(messages: Sequence[Message]) -> Iterator[Message]:
    """The same, joined as far as they may leave together; each pack is made when asked for."""
    pack: list[Message] = []
    size = 0
    for message in messages:
        if pack and size + len(message.frame) > MOST_TOGETHER:
            yield Message.joined(pack)
            pack, size = [], 0
        pack.append(message)
        size += len(message.frame)
    if pack:
        yield Message.joined(pack)


ByLanguage: TypeAlias = dict[str, Message]


class Burst:
    """What one reader after another gets at once: messages about events, in their order."""

    __slots__ = ("each", "first", "message")

    def __init__(self, each: Sequence[tuple[int, Message]]) -> None:
        self.each = each
        self.first = each[0][0]  # the id of the first event
        self.message = Message.joined([message for _, message in each])


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
