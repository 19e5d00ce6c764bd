"""Hostile pictures, and honest ones with more in them than can be seen."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from microblog.kernel.errors import Invalid
from microblog.media import workshop
from microblog.media.framing import WHOLE, Framing

PLACE = b"Reykjavik-secret"


def saved(picture: Image.Image, form: str, **more: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **more)
    return file.getvalue()


def halves(width: int = 300, height: int = 200) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    return picture


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, rows: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 9)),
         chunk(b"IEND", b"")]
    )  # fmt: skip


async def opened(
    picture: bytes, kind: str = "avatar", framing: Framing = WHOLE
) -> dict[str, Image.Image]:
    made = await workshop.make(kind, picture, framing)
    return {ending: Image.open(io.BytesIO(content)) for ending, content in made.items()}


def colour(picture: Image.Image, x: int, y: int) -> str:
    red, green, blue = picture.convert("RGB").getpixel((x, y))  # type: ignore[misc]
    high = {name for name, value in (("r", red), ("g", green), ("b", blue)) if value > 200}
    return "".join(sorted(high))


async def refusal(picture: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        await workshop.make("avatar", picture)
    assert list(refused.value.errors) == ["avatar"]
    return refused.value.message


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_is_cut_to_each_size_in_both_formats(form: str) -> None:
    made = await opened(saved(halves(), form))
    assert {ending: (each.size, each.format) for ending, each in made.items()} == {
        "-400.webp": ((400, 400), "WEBP"), "-400.jpg": ((400, 400), "JPEG"),
        "-96.webp": ((96, 96), "WEBP"), "-96.jpg": ((96, 96), "JPEG"),
    }  # fmt: skip
    assert (colour(made["-400.jpg"], 20, 200), colour(made["-400.jpg"], 380, 200)) == ("r", "b")
    header = await opened(saved(halves(), form), "header")
    assert [each.size for each in header.values()] == [(1500, 500), (1500, 500)]


async def test_nothing_but_the_picture_is_left_and_it_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: to be turned a quarter
    exif[0x010E] = PLACE.decode()
    exif.get_ifd(0x8825)[29] = PLACE.decode()
    icc = b"\0" * 128 + PLACE
    picture = saved(halves(), "JPEG", exif=exif, icc_profile=icc, comment=PLACE)
    assert picture.count(PLACE) >= 4
    made = await workshop.make("avatar", picture)
    assert all(PLACE not in content for content in made.values())
    upright = Image.open(io.BytesIO(made["-400.webp"]))
    assert set(upright.info) <= {"background", "loop", "timestamp", "duration"}
    assert not upright.getexif()
    assert (colour(upright, 200, 20), colour(upright, 200, 380)) == ("r", "b")


def animated() -> bytes:
    frames = [Image.new("RGB", (50, 50), name) for name in ("red", "blue")]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)


def deep() -> bytes:
    grey = Image.frombytes("I;16", (40, 40), struct.pack("<H", 0xFFFF) * 1600)
    return saved(grey, "PNG")


def see_through() -> bytes:
    return saved(Image.new("RGBA", (40, 40), (255, 0, 0, 0)), "PNG")


def palette() -> bytes:
    return saved(halves().convert("P"), "PNG", transparency=0)


def four_inks() -> bytes:
    return saved(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG")


@pytest.mark.parametrize(
    ("draw", "seen"),
    [(animated, "r"), (deep, "bgr"), (see_through, "bgr"), (four_inks, "r")],
)
async def test_every_kind_of_picture_comes_out_plain(draw: Callable[[], bytes], seen: str) -> None:
    made = await opened(draw())
    assert not getattr(made["-400.webp"], "is_animated", False)
    for each in made.values():
        assert colour(each, 48, 48) == "".join(sorted(seen))


async def test_a_palette_with_a_hole_is_no_trouble() -> None:
    assert len(await opened(palette())) == 4


@pytest.mark.parametrize(
    "picture",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"RIFF\0\0\0\0WEBPVP8X",
        b"\xff\xd8\xff\xe0", b"x", b"%!PS-Adobe-3.0 EPSF-3.0\n", bytes(1000),
        saved(halves(), "TIFF"), saved(halves(), "BMP"), saved(halves(), "PPM"),
        saved(halves(), "ICO"), saved(halves(), "TGA"),
        saved(halves(), "PNG")[:-40], saved(halves(900, 900), "JPEG")[:3000],
        saved(halves(), "WEBP")[:60], animated()[:40],
        png(200, 200, b"\0" * 10), saved(halves(), "PNG").replace(b"IDAT", b"IDAX"),
    ],
    ids=range(22),
)  # fmt: skip
async def test_what_is_no_whole_picture_is_refused(picture: bytes) -> None:
    assert await refusal(picture) == workshop.UNREADABLE


async def test_a_bomb_is_refused_before_it_goes_off() -> None:
    small = png(30_000, 30_000, bytes(1000))
    assert len(small) < 200
    assert await refusal(small) == workshop.TOO_LARGE
    assert await refusal(png(5001, 5000, bytes(1000))) == workshop.TOO_LARGE
    lying = struct.pack("<HH", 65535, 65535)
    gif = animated()
    assert await refusal(gif[:6] + lying + gif[10:]) == workshop.TOO_LARGE
    sides = (16_383 - 1).to_bytes(3, "little") * 2
    webp = b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + sides
    assert await refusal(webp) == workshop.TOO_LARGE


async def test_as_many_pixels_as_allowed_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "SECONDS", 60.0)  # of a busy machine; 1.5 of its own are needed
    largest = saved(Image.new("RGBA", (5000, 5000), (255, 0, 0, 128)), "PNG")
    assert len(await opened(largest)) == 4


async def test_a_file_too_heavy_or_empty_is_refused_unread() -> None:
    assert await refusal(bytes(workshop.MOST_BYTES + 1)) == workshop.TOO_HEAVY
    assert await refusal(b"") == workshop.MISSING


async def test_a_worker_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "SECONDS", 0.01)
    assert await refusal(saved(halves(), "PNG")) == workshop.UNREADABLE


async def test_a_picture_that_needs_more_memory_than_allowed_is_refused(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same picture with the same loader: what differs is how much it may have."""
    source = workshop._PROCESS.read_text()
    allowed = "MEMORY = 512 * 1024 * 1024"
    assert allowed in source
    picture = saved(Image.new("RGBA", (2400, 2400)), "PNG")  # 23 MB, twice while it is cut
    assert len(await opened(picture)) == 4
    poor = tmp_path / "process.py"
    poor.write_text(source.replace(allowed, "MEMORY = 64 * 1024 * 1024"))
    monkeypatch.setattr(workshop, "_PROCESS", poor)
    assert await refusal(picture) == workshop.UNREADABLE
    monkeypatch.undo()
    assert len(await opened(saved(halves(), "PNG"))) == 4  # nobody else is hurt


@pytest.mark.parametrize("words", ["print('x' * 9_000_000)", "print('<svg>')", "", "1 / 0"])
async def test_a_worker_out_of_its_mind_is_not_believed(
    words: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mad = tmp_path / "process.py"
    mad.write_text(words)
    monkeypatch.setattr(workshop, "_PROCESS", mad)
    assert await refusal(saved(halves(), "PNG")) == workshop.UNREADABLE


async def test_the_worker_writes_no_file_and_has_no_settings(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROBLOG_SECRET_KEY", "never told")
    source = workshop._PROCESS.read_text().partition("if __name__")[0]
    mad = tmp_path / "process.py"
    mad.write_text(
        source + "import os\n_limit()\nassert not any('MICRO' in n for n in os.environ)\n"
        f"open({str(tmp_path / 'made')!r}, 'w').write('x')\n"
    )
    monkeypatch.setattr(workshop, "_PROCESS", mad)
    assert await refusal(saved(halves(), "PNG")) == workshop.UNREADABLE
    assert not (tmp_path / "made").exists() or (tmp_path / "made").stat().st_size == 0
