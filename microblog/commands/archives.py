"""The file that ``backup`` writes and ``restore`` reads: a ZIP that any tool opens.

    manifest.json   what the other members are, with their sizes and SHA-256
    microblog.db    the database as an SQLite file, whichever kind the site runs on
    secret_key      unless it comes from the environment
    media/…         what people have sent

A member that the manifest does not name is never looked at.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any
from zipfile import ZipFile

from microblog.kernel.transfer import TransferError

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "microblog.db"
KEY = "secret_key"
MEDIA = "media/"
LARGEST_MANIFEST = 256 * 1024 * 1024
_CHUNK = 1024 * 1024
UNREADABLE = (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError, EOFError)


@dataclass
class Manifest:
    version: str  # of the program
    schema: str
    database: str  # the kind it came from
    epoch: str  # of the log
    created_at: str  # when the snapshot was taken, ISO 8601
    tables: dict[str, dict[str, Any]]  # rows and digest of each, see kernel.transfer
    files: dict[str, dict[str, Any]] = field(default_factory=dict)  # size and sha256 of each
    format: int = FORMAT

    @property
    def media(self) -> list[str]:
        return [name for name in self.files if name.startswith(MEDIA)]


def write(path: Path, manifest: Manifest, database: Path, data_dir: Path) -> None:
    """Make the archive and see it on disk.  Media that vanish meanwhile are left out."""
    with _new(path) as file:
        with ZipFile(file, "w", compresslevel=1) as archive:
            for name, source in _members(database, data_dir):
                try:
                    manifest.files[name] = _add(archive, name, source)
                except FileNotFoundError:
                    continue
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())


def verified(path: Path) -> Manifest:
    """What is in it, once every byte was read and is as it was written.  Raises TransferError."""
    try:
        with ZipFile(path) as archive:
            manifest = _manifest(archive)
            for name, written in manifest.files.items():
                if not _is_ours(name) or _copied(archive, name, None) != written:
                    raise TransferError(f"{path} is damaged: {name} is not what was written.")
    except UNREADABLE as error:
        raise TransferError(f"{path} is no backup, or a damaged one ({error}).") from error
    return manifest


def extract(path: Path, names: list[str], folder: Path) -> None:
    """Write members below `folder`, for the owner's eyes only."""
    with ZipFile(path) as archive:
        for name in names:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as to:
                _copied(archive, name, to)
                to.flush()
                os.fsync(to.fileno())


def _new(path: Path) -> IO[bytes]:
    """For nobody else's eyes: it holds addresses, hashes and the key."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")


def _members(database: Path, data_dir: Path) -> Iterator[tuple[str, Path]]:
    yield DATABASE, database
    if (data_dir / KEY).is_file():
        yield KEY, data_dir / KEY
    for path in sorted((data_dir / MEDIA).rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(data_dir).as_posix(), path


def _add(archive: ZipFile, name: str, source: Path) -> dict[str, Any]:
    # Media are packed already, and the site may need the processor.
    archive.compression = zipfile.ZIP_DEFLATED if name == DATABASE else zipfile.ZIP_STORED
    with source.open("rb") as read, archive.open(name, "w", force_zip64=True) as to:
        return _counted(read, to)


def _manifest(archive: ZipFile) -> Manifest:
    if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ValueError("the manifest is too large")
    read = json.loads(archive.read(MANIFEST))
    if read["format"] != FORMAT:
        raise TransferError(f"It has format {read['format']}: restore it with a newer version.")
    return Manifest(**read)


def _is_ours(name: str) -> bool:
    """Nothing else may be written, wherever the archive comes from."""
    parts = PurePosixPath(name).parts
    plain = "/".join(parts) == name and "\\" not in name and ".." not in parts
    return name in (DATABASE, KEY) or (plain and name.startswith(MEDIA))


def _copied(archive: ZipFile, name: str, to: IO[bytes] | None) -> dict[str, Any]:
    with archive.open(name) as read:
        return _counted(read, to)


def _counted(read: IO[bytes], to: IO[bytes] | None) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    while chunk := read.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if to is not None:
            to.write(chunk)
    return {"size": size, "sha256": digest.hexdigest()}


def settle(made: Path, place: Path) -> None:
    """Give what was made its name, so that a power cut leaves the old or the new."""
    made.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
