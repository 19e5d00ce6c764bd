"""A name to begin with, from what a provider calls somebody; they may choose another."""

from __future__ import annotations

import re
import unicodedata

from microblog.accounts import names
from microblog.accounts import queries as people
from microblog.kernel.errors import Invalid
from microblog.kernel.model import Session

_OTHER = re.compile(r"[^A-Za-z0-9_]+")


async def suggested(session: Session, *wishes: str) -> str:
    """The first of them that can be a name here, as it is or with a number; "" if none can."""
    for wish in wishes:
        if name := _as_name(wish):
            return await _free(session, name)
    return ""


def _as_name(written: str) -> str:
    """José Ortiz -> Jose_Ortiz"""
    plain = unicodedata.normalize("NFKD", written).encode("ascii", "ignore").decode()
    try:
        return names.check_name(_OTHER.sub("_", plain).strip("_")[: names.LONGEST])
    except Invalid:
        return ""


async def _free(session: Session, name: str) -> str:
    numbered = [f"{name[: names.LONGEST - len(str(n))]}{n}" for n in range(2, 100)]
    taken = await people.taken_names(session, [name, *numbered])
    return next((one for one in (name, *numbered) if names.key(one) not in taken), "")
