"""Makes a picture harmless: decoded, turned upright, cut to size, written anew without anything
else that was in the file.

It runs as a process of its own, by path and not as a module, since it needs nothing of this
program: ``python -I process.py 0,0,1,1 0.5,0.5 400x400 96x96`` reads a picture from stdin and
writes each size, the largest first, as WebP and as JPEG to stdout, each behind its length in eight
bytes.  Before the sizes stand what of the upright picture is shown and, where that is too wide or
too high, which side stays (`media.framing`).  The limits are set before anything is decoded; a
failure of any kind is a status other than 0.
"""

from __future__ import annotations

import io
import resource
import sys

from PIL import Image, ImageOps

NO_PICTURE, TOO_LARGE = 3, 4
MOST_PIXELS = 25_000_000
MEMORY = 512 * 1024 * 1024
SECONDS = 5
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # told by content; no other loader is ever asked

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DIRECT = ("L", "LA", "RGB", "RGBA", "CMYK")  # can be resized well as they are


def main(part: str, centring: str, *sizes: str) -> int:
    _limit()
    data = sys.stdin.buffer.read()
    if _webp_pixels(data) > MOST_PIXELS:  # its loader makes room when it opens
        return TOO_LARGE
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except OSError:
        return NO_PICTURE
    if picture.width * picture.height > MOST_PIXELS:
        return TOO_LARGE
    shown = _cut(_upright(picture), *map(float, part.split(",")))
    across, down = map(float, centring.split(","))
    for size in sizes:
        width, height = map(int, size.split("x"))
        shown = ImageOps.fit(
            shown, (width, height), Image.Resampling.LANCZOS, centering=(across, down)
        )
        _write(shown)
    return 0


def _limit() -> None:
    """No more memory, no longer, no file written, no process begun."""
    Image.MAX_IMAGE_PIXELS = None  # counted here
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _webp_pixels(data: bytes) -> int:
    """As the first chunk of a WebP file says (RFC 9649); 0 for all other files."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return 0
    match data[12:16]:
        case b"VP8X":
            sides = [1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27)]
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            sides = [1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)]
        case _:
            sides = [int.from_bytes(data[at : at + 2], "little") & 0x3FFF for at in (26, 28)]
    return sides[0] * sides[1]


def _upright(picture: Image.Image) -> Image.Image:
    """Its first frame, in a mode that can be resized, turned as its camera was held."""
    picture.load()
    turn = _TURNS.get(_orientation(picture) or 0)
    plain = _eight_bits(picture)
    return plain.transpose(turn) if turn is not None else plain


def _cut(picture: Image.Image, left: float, top: float, width: float, height: float) -> Image.Image:
    """Never less than a pixel, and nothing from outside the picture."""
    x = min(round(left * picture.width), picture.width - 1)
    y = min(round(top * picture.height), picture.height - 1)
    right = min(max(round((left + width) * picture.width), x + 1), picture.width)
    bottom = min(max(round((top + height) * picture.height), y + 1), picture.height)
    return picture.crop((x, y, right, bottom))


def _orientation(picture: Image.Image) -> int | None:
    try:
        return int(picture.getexif()[_ORIENTATION])
    except (SyntaxError, ValueError, LookupError, OSError, TypeError, ArithmeticError):
        return None  # a picture is not worse for a damaged note beside it


def _eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    if picture.mode == "I":  # 16 bits a pixel
        return picture.point(lambda value: value * (1 / 257)).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode in ("RGBA", "LA") else picture.convert("RGBA")
    return picture if picture.mode in _DIRECT else picture.convert("RGB")


def _write(picture: Image.Image) -> None:
    """On white paper where it was transparent; what the file said besides is left behind."""
    paper = Image.new("RGB", picture.size, "white")
    mask = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
    paper.paste(picture.convert("RGB"), mask=mask)
    for how in ({"format": "WEBP", "quality": 82}, {"format": "JPEG", "quality": 85}):
        made = io.BytesIO()
        paper.save(made, **how)  # type: ignore[arg-type]
        sys.stdout.buffer.write(made.tell().to_bytes(8, "big") + made.getvalue())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
