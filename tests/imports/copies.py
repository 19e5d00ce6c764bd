"""Copies as another site makes them, and such as no site would."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

THERE = "there.example"
YEARS_AGO = datetime(2021, 3, 4, 5, 6, 7, 890_000, tzinfo=UTC)


def post(number: int, text: str = "", **more: Any) -> dict[str, Any]:
    """The `number`th of somebody's, an hour after the one before."""
    return {
        "id": str(1000 + number),
        "at": (YEARS_AGO + timedelta(hours=number)).isoformat(),
        "edited_at": None,
        "text": text or f"number {number}",
        "in_reply_to": None,
        "in_reply_to_name": None,
        "earlier": [],
    } | more


def answer(number: int, to: int, **more: Any) -> dict[str, Any]:
    return post(number, **{"in_reply_to": str(1000 + to), "in_reply_to_name": "ada"} | more)


def copy(
    posts: list[Any] = (),  # type: ignore[assignment]
    *,
    following: tuple[str, ...] = (),
    profile: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    members: dict[str, bytes] | None = None,
    **more: Any,
) -> io.BytesIO:
    person = {
        "format": 1,
        "host": THERE,
        "profile": {"name": "ada"} | (profile or {}),
        "settings": settings or {},
    } | more
    lines = ",".join("\n" + json.dumps(one) for one in posts)
    everything = {
        "person.json": json.dumps(person).encode(),
        "posts.json": f"[{lines}\n]\n".encode(),
        "following.csv": "\r\n".join(["Account address", *following, ""]).encode(),
    } | (members or {})
    return packed(everything)


def packed(members: dict[str, bytes]) -> io.BytesIO:
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    made.seek(0)
    return made


def with_many_members(number: int) -> io.BytesIO:
    made = io.BytesIO()
    with ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for each in range(number):
            archive.writestr(str(each), b"")
    made.seek(0)
    return made
