"""A copy as a file that a stranger sent: looked at with distrust, read line by line.

It is a ZIP as `archives.builder` writes it and nothing else: bounded in its members before Python
lists them, in what they unpack to, and in each line.  Members are found by the names that we give
them; no name in the file ever reaches the file system (SECURITY 33).
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from microblog.kernel.errors import N_, Invalid
from microblog.kernel.text import one_line
from microblog.media import store, workshop

FORMAT = 1
MOST_POSTS = 100_000
PERSON, POSTS, FOLLOWING = "person.json", "posts.json", "following.csv"

_MOST_MEMBERS = 5000
_MOST_DIRECTORY = 1024 * 1024
_MOST_PERSON = 1024 * 1024
_MOST_FOLLOWING = 4 * 1024 * 1024
_MOST_POSTS_BYTES = 256 * 1024 * 1024
_MOST_LINE = 1024 * 1024
_PACKED = 200  # times smaller than it was: no text of people is
_END = struct.Struct("<4s4H2LH")  # of the central directory (APPNOTE 4.3.16)
_LOCATOR = 20  # bytes, of the end of a ZIP64 directory, which goes before

_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RecursionError,
    NotImplementedError,
)  # fmt: skip

FOREIGN = N_("This is no copy from a site like this one. Choose the ZIP file as you got it.")
NEWER = N_("This copy is from a newer version of the program, which this site does not know yet.")
PACKED = N_("This file unpacks to far more than a copy holds, so it was not opened.")
MANY = N_("That is too much: at most %(most)s posts can be brought at once.")


class CopyFile:
    """`file` can be sought in.  Raises `Invalid("archive")` for what is no copy."""

    def __init__(self, file: IO[bytes]) -> None:
        try:
            _look_at_end(file)
            self._zip = ZipFile(file)
        except _BROKEN as error:
            raise Invalid("archive", FOREIGN) from error
        self.person = self._person()

    @property
    def host(self) -> str:
        """Of the site it was made on."""
        return one_line(_text(self.person.get("host")))[:255].lower()

    def part(self, name: str) -> dict[str, Any]:
        """ "profile" or "settings"."""
        found = self.person.get(name)
        return found if isinstance(found, dict) else {}

    def following(self) -> bytes:
        return self._read(FOLLOWING, _MOST_FOLLOWING) if self._has(FOLLOWING) else b""

    def picture(self, kind: str) -> bytes | None:
        """The largest there is of an avatar or a header."""
        known = _text(self.part("profile").get(kind))
        for ending in workshop.endings(kind):
            name = known + ending
            if store.media_type(name) and self._has(f"media/{name}"):
                return self._read(f"media/{name}", workshop.MOST_BYTES)
        return None

    def posts(self) -> Iterator[dict[str, Any] | None]:
        """One after the other, oldest first; None for one that cannot be read.

        Raises `Invalid("archive")` where the file is broken or has too many.
        """
        try:
            with self._open(POSTS, _MOST_POSTS_BYTES) as file:
                yield from _records(file)
        except _BROKEN as error:
            raise Invalid("archive", FOREIGN) from error

    def _person(self) -> dict[str, Any]:
        try:
            found = json.loads(self._read(PERSON, _MOST_PERSON))
        except _BROKEN as error:
            raise Invalid("archive", FOREIGN) from error
        if not isinstance(found, dict) or not isinstance(found.get("format"), int):
            raise Invalid("archive", FOREIGN)
        if found["format"] > FORMAT:
            raise Invalid("archive", NEWER)
        return found

    def _has(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def _read(self, name: str, most: int) -> bytes:
        try:
            with self._open(name, most) as file:
                return file.read(most)
        except _BROKEN as error:
            raise Invalid("archive", FOREIGN) from error

    def _open(self, name: str, most: int) -> IO[bytes]:
        if not self._has(name):
            raise Invalid("archive", FOREIGN)
        info = self._zip.getinfo(name)
        _check(info, most)
        return self._zip.open(info)


def _look_at_end(file: IO[bytes]) -> None:
    """How long the list of members is, before it is read whole.  Ours end with 22 known bytes:
    without a comment, and not as ZIP64, whose own numbers would count instead."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _LOCATOR))
    tail = file.read()
    if len(tail) < _END.size:
        raise zipfile.BadZipFile("too short")
    sign, _, _, _, members, directory, _, comment = _END.unpack(tail[-_END.size :])
    is_zip64 = tail[: -_END.size].startswith(b"PK\x06\x07")
    if sign != b"PK\x05\x06" or comment or is_zip64:
        raise zipfile.BadZipFile("not as we end it")
    if members > _MOST_MEMBERS or directory > _MOST_DIRECTORY:
        raise zipfile.BadZipFile("too many members")


def _check(info: ZipInfo, most: int) -> None:
    """ZipFile reads no more than `file_size` says, so what it says is what can come of it."""
    is_plain = info.compress_type in (ZIP_STORED, ZIP_DEFLATED) and not info.flag_bits & 0x1
    if not is_plain:
        raise Invalid("archive", FOREIGN)
    is_bomb = info.file_size > _MOST_PERSON and info.file_size > _PACKED * info.compress_size
    if info.file_size > most or is_bomb:
        raise Invalid("archive", PACKED)


def _records(file: IO[bytes]) -> Iterator[dict[str, Any] | None]:
    """A list in JSON with each of its objects on a line of its own."""
    number = 0
    while line := file.readline(_MOST_LINE):
        is_whole = line.endswith(b"\n")
        while not is_whole and (rest := file.readline(_MOST_LINE)):
            line, is_whole = b"too long", rest.endswith(b"\n")
        written = line.strip().rstrip(b",")
        if written in (b"[", b"]", b""):
            continue
        number += 1
        if number > MOST_POSTS:
            raise Invalid("archive", MANY, most=MOST_POSTS)
        yield _record(written)


def _record(written: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
