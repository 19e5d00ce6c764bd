"""Pictures as files: DATA_DIR/media/<32 random digits>-<width>.<webp or jpg>.

No part of a name comes from people.  A file is written beside its place and moved there when it is
whole and on the disk, so that nothing partial is ever found under a name.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

from microblog.kernel.errors import N_, NoRoom

TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}
FULL = N_("There is no room left for pictures. Nothing was changed; try again later.")

_NAME = re.compile(r"([0-9a-f]{32})-[0-9]{2,4}\.(webp|jpg)")
_PART = ".part"
_YOUNG = 3600.0  # seconds: its row may not be written yet


def folder(data_dir: Path) -> Path:
    return data_dir / "media"


def media_type(name: str) -> str | None:
    """None for everything that is not the name of a file here."""
    known = _NAME.fullmatch(name)
    return TYPES[known[2]] if known else None


def keep(where: Path, parts: Mapping[str, bytes]) -> str:
    """Write all files of one picture; the part that their names share.  Raises `NoRoom`."""
    picture = secrets.token_hex(16)
    try:
        where.mkdir(parents=True, exist_ok=True)
        for ending, content in parts.items():
            _write(where / (picture + ending), content)
        _settle(where)
    except OSError as error:
        remove(where, [picture + ending for ending in parts])
        raise NoRoom(FULL) from error
    return picture


def remove(where: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):
            (where / name).unlink()


def sweep(where: Path, shown: Set[str]) -> None:
    """Remove what killed processes left: files of no picture that is shown, and parts of files."""
    for path in _files(where):
        is_shown = path.suffix != _PART and path.name.partition("-")[0] in shown
        if not is_shown and _is_old(path):
            remove(where, [path.name])


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + _PART)
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _settle(where: Path) -> None:
    """The names, too, are on the disk before a row says so."""
    handle = os.open(where, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _files(where: Path) -> list[Path]:
    """What this module wrote; anything else in the folder is somebody else's."""
    if not where.is_dir():
        return []
    return [each for each in where.iterdir() if _NAME.fullmatch(each.name.removesuffix(_PART))]


def _is_old(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > _YOUNG
    return False
