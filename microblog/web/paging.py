"""Places in lists and ids in addresses, as strangers write them: bounded, and never an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from quart import ResponseReturnValue, redirect, request

from microblog.kernel.errors import NotFound
from microblog.kernel.ids import LARGEST

POSTS = 25
PEOPLE = 50
REPLIES = 100

_ID = re.compile(r"[1-9][0-9]{0,18}")


def number(written: str) -> int | None:
    """The id that is written; None if it cannot be one."""
    found = int(written) if _ID.fullmatch(written) else None
    return found if found is not None and found <= LARGEST else None


def post_id_in(address: str) -> int:
    if (found := number(address)) is None:
        raise NotFound
    return found


def place(name: str) -> int | None:
    """`?before=` or `?after=`; whatever is no place means the beginning."""
    return number(request.args.get(name, ""))


def cut(ids: Sequence[int], size: int, key: str = "before") -> tuple[Sequence[int], str | None]:
    """A page of `size` out of one more that was asked for, and where the next page is."""
    if len(ids) <= size:
        return ids, None
    return ids[:size], f"{quote(request.path, safe='/@')}?{key}={ids[size - 1]}"


def under_true_name(typed: str, true: str) -> ResponseReturnValue:
    """The same page under the name as its owner writes it."""
    path = request.path.replace(f"/@{typed}", f"/@{true}", 1)
    query = request.query_string.decode("ascii", "ignore")
    return redirect(quote(path, safe="/@") + (f"?{query}" if query else ""), 302)
