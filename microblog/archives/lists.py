"""Lists of people as CSV, in the form that Mastodon gives and takes, too.

Names have letters, digits and underscores only, so no program that opens a list takes one for a
formula.
"""

from __future__ import annotations

from collections.abc import Iterable


def following_list(names: Iterable[str], host: str) -> str:
    head = "Account address,Show boosts,Notify on new posts,Languages"
    return _lines(head, (f"{name}@{host},true,false," for name in names))


def followers_list(names: Iterable[str], host: str) -> str:
    return _lines("Account address", (f"{name}@{host}" for name in names))


def _lines(head: str, rows: Iterable[str]) -> str:
    return "\r\n".join([head, *rows, ""])
