"""What can be said of any text: its length as people count it, and what never belongs in it."""

from __future__ import annotations

import regex

# Flags are taken two letters at a time before \X sees them: over a long run of them it is
# quadratic.
_GRAPHEME = regex.compile(
    r"[\U0001F1E6-\U0001F1FF]{2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*|\X"
)
# C0 and C1 controls but tab and newline: invisible, and poison for logs, mail headers and feeds.
_CONTROL = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INVISIBLE = regex.compile(r"^[\p{C}\p{Z}\p{Mn}\u115f\u1160\u3164\uffa0\u2800]*$")


def graphemes(text: str) -> int:
    """How many characters a person would count (extended grapheme clusters, UAX 29)."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def tidy(text: str) -> str:
    """Newlines as \\n, no controls, no lone surrogates, no blank edges."""
    joined = text.replace("\r\n", "\n").replace("\r", "\n")
    encodable = joined.encode("utf-8", "replace").decode("utf-8")
    return str(_CONTROL.sub("", encodable)).strip()


def one_line(text: str) -> str:
    return " ".join(tidy(text).split())


def is_blank(text: str) -> bool:
    """Nothing that can be seen: empty, or made of spaces and zero-width characters."""
    return _INVISIBLE.match(text) is not None


def shortened(text: str, length: int) -> str:
    """At most `length` graphemes of one line, with an ellipsis if something was left out."""
    line = one_line(text)
    parts = _GRAPHEME.findall(line)
    return line if len(parts) <= length else "".join(parts[: length - 1]).rstrip() + "…"
