"""What changed between two texts, word by word."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal, TypeAlias

import regex

from microblog.posts.queries import Version

Segment: TypeAlias = tuple[Literal["same", "added", "removed"], str]

# Comparing costs the product of both lengths at worst; longer texts are shown as replaced.
_MOST_WORK = 1_000_000
# Words and spaces; in scripts without spaces single characters, and whole emoji.
_WORD = regex.compile(
    r"(?V1)\s+|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|\w+"
    r"|[\U0001f1e6-\U0001f1ff]{2}|\X"  # flags by themselves: in a row they make \X quadratic
)


def changes(versions: list[Version]) -> list[dict[str, object]]:
    """Each version beside what it changed, in the order given (newest first)."""
    told = [
        {"version": new.version, "at": new.at, "segments": segments(old.body, new.body)}
        for new, old in pairwise(versions)
    ]
    oldest = versions[-1]
    whole: list[Segment] = [("same", oldest.body)]
    return [*told, {"version": oldest.version, "at": oldest.at, "segments": whole}]


def segments(old: str, new: str) -> list[Segment]:
    """Joined without what was removed they are `new`; without what was added, `old`."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if len(before) * len(after) > _MOST_WORK:
        return [("removed", old), ("added", new)]
    found: list[Segment] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            found.append(("same", "".join(before[i1:i2])))
            continue
        if i2 > i1:
            found.append(("removed", "".join(before[i1:i2])))
        if j2 > j1:
            found.append(("added", "".join(after[j1:j2])))
    return found
