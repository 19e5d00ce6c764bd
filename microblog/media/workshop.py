"""Has a picture made harmless by `media.process`, in another process with limits (SECURITY 32)."""

from __future__ import annotations

import asyncio
import contextlib
import io
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from microblog.kernel.errors import N_, Invalid
from microblog.media.framing import WHOLE, Framing

MOST_BYTES = 5 * 1024 * 1024
SECONDS = 5.0
# Width and height of what is made of each kind of picture.
SIZES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "avatar": ((400, 400), (96, 96)),
    "header": ((1500, 500),),
}
# How those begin that browsers may get: nothing else can come of a picture.
SIGNS = {"webp": (b"RIFF", b"WEBP"), "jpg": (b"\xff\xd8\xff", b"")}

UNREADABLE = N_("This picture cannot be read. Choose a PNG, JPEG, WebP or GIF file.")
TOO_HEAVY = N_("This file is too large: at most 5 MB.")
TOO_LARGE = N_("This picture is too large: at most 25 megapixels.")
MISSING = N_("Choose a picture.")

_PROCESS = Path(__file__).with_name("process.py")
_SAYS = {4: TOO_LARGE}
_MOST_MADE = 8 * 1024 * 1024
_pool = ThreadPoolExecutor(2, thread_name_prefix="pictures")  # half a gigabyte each at most


async def make(kind: str, picture: bytes, framing: Framing = WHOLE) -> dict[str, bytes]:
    """What is kept of `picture`: the end of a file's name ("-96.webp") and its content.

    Raises `Invalid(kind)`.
    """
    if not picture:
        raise Invalid(kind, MISSING)
    if len(picture) > MOST_BYTES:
        raise Invalid(kind, TOO_HEAVY)
    loop = asyncio.get_running_loop()
    status, made = await loop.run_in_executor(_pool, _run, SIZES[kind], framing, picture)
    if status != 0:
        raise Invalid(kind, _SAYS.get(status, UNREADABLE))
    return _parts(kind, made)


def endings(kind: str) -> list[str]:
    """Of the names of all files of one picture."""
    return [f"-{width}.{form}" for width, _height in SIZES[kind] for form in SIGNS]


def _run(sizes: tuple[tuple[int, int], ...], framing: Framing, picture: bytes) -> tuple[int, bytes]:
    """The status of the process, and what it wrote; it is killed when its time is over."""
    numbers = (framing.part, framing.centring)
    wanted = [",".join(f"{number:.6f}" for number in some) for some in numbers]
    wanted += [f"{width}x{height}" for width, height in sizes]
    with subprocess.Popen(  # noqa: S603 - nothing but numbers of ours
        [sys.executable, "-I", str(_PROCESS), *wanted],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"MALLOC_ARENA_MAX": "1"}, cwd="/",
    ) as process:  # fmt: skip
        end = threading.Timer(SECONDS, process.kill)
        end.start()
        try:
            made = _spoken_with(process, picture)
        finally:
            end.cancel()
            process.kill()
    return process.returncode, made


def _spoken_with(process: subprocess.Popen[bytes], picture: bytes) -> bytes:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(picture)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    made = process.stdout.read(_MOST_MADE)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(1)
    return made


def _parts(kind: str, made: bytes) -> dict[str, bytes]:
    rest, parts = io.BytesIO(made), {}
    for ending in endings(kind):
        content = rest.read(int.from_bytes(rest.read(8), "big"))
        start, later = SIGNS[ending.rpartition(".")[2]]
        if not content.startswith(start) or content[8 : 8 + len(later)] != later:
            raise Invalid(kind, UNREADABLE)
        parts[ending] = content
    return parts
