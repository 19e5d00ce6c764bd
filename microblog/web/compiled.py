"""Compiled templates, kept as Python keeps compiled modules: beside the source, where only who may
change the program may write, and trusted only while nothing that was compiled in has changed.

To compile them all takes a second of every start; to read them, a twentieth.  They stay packed
until they are asked for, each less than a millisecond: as code those of two languages take 11 MiB
and as they are written 2, and nobody asks for most of them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import marshal
import os
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket, BytecodeCache

log = logging.getLogger(__name__)

_DIGEST = hashlib.sha256().digest_size


def digest(sources: Iterable[Path]) -> bytes:
    """Of what a template is compiled from: files, and all those in folders."""
    found = hashlib.sha256(f"{sys.version} {jinja2.__version__}".encode())
    for source in sources:
        within = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in within:
            if file.is_file() and file.suffix != ".pyc":
                content = file.read_bytes()
                found.update(f"\0{file.relative_to(source.parent)}\0{len(content)}\0".encode())
                found.update(content)
    return found.digest()


class Compiled(BytecodeCache):
    """Those of one language.  `keep` writes what was not found there at the start."""

    def __init__(self, language: str, version: bytes) -> None:
        module = Path(importlib.util.cache_from_source(__file__))
        self._file = module.with_suffix(f".{language}")
        self._version = version
        self._codes = self._read()
        self._has_new = False

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's
        """Its name: where it lies is the same for all, and what it says is in the version."""
        return name

    def __contains__(self, name: str) -> bool:
        return name in self._codes

    def load_bytecode(self, bucket: Bucket) -> None:
        if (written := self._codes.get(bucket.key)) is not None:
            code = zlib.decompress(written)
            bucket.code = marshal.loads(code)  # noqa: S302 - as trusted as Python's own beside it

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key] = zlib.compress(marshal.dumps(bucket.code))
            self._has_new = True

    def keep(self) -> None:
        """In place of the file there at once, so that no other process reads half of one."""
        if not self._has_new or sys.dont_write_bytecode:
            return
        self._has_new = False
        content = marshal.dumps(self._codes)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            new.write_bytes(self._version + hashlib.sha256(content).digest() + content)
            new.replace(self._file)
        except OSError as error:  # as where the program is installed by another user
            log.debug("Compiled templates are not kept: %s", error)

    def _read(self) -> dict[str, bytes]:
        """By the name of the template."""
        try:
            kept = self._file.read_bytes()
        except OSError:
            return {}
        version, checked, content = kept[:_DIGEST], kept[_DIGEST : 2 * _DIGEST], kept[2 * _DIGEST :]
        if version != self._version or checked != hashlib.sha256(content).digest():
            return {}
        return dict(marshal.loads(content))  # noqa: S302 - likewise
