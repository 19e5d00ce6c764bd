"""Which part of a picture is shown, as forms say it and as the process cuts it."""

from __future__ import annotations

import pytest
from PIL import Image

from microblog.kernel.errors import Invalid
from microblog.media import framing, workshop
from tests.media.test_workshop import colour, halves, opened, saved


def test_a_form_that_says_nothing_means_the_middle_of_all() -> None:
    assert framing.read("avatar", "", "") == framing.WHOLE
    assert framing.WHOLE.centring == (0.5, 0.5)
    assert framing.read("header", "right-top", "").centring == (1.0, 0.0)
    assert framing.read("avatar", "", "0.25 0 0.5 1").part == (0.25, 0.0, 0.5, 1.0)


@pytest.mark.parametrize("focus", ["left", "top-left", "left-top-left", "<b>", "LEFT-TOP"])
def test_a_focus_is_one_of_nine(focus: str) -> None:
    with pytest.raises(Invalid):
        framing.read("header", focus, "")


@pytest.mark.parametrize(
    "part",
    ["1 2 3", "0 0 1 1 1", "0,0,1,1", "a b c d", "-0.1 0 1 1", "0.5 0 0.6 1", "0 0 0 1",
     "0 0 1 0.001", "nan 0 1 1", "0 0 nan 1", "inf 0 1 1", "0 0 1e9 1", "0 -inf 1 inf",
     "0  0 1 1", " ", "--help 0 1 1"],
)  # fmt: skip
def test_a_part_lies_within_the_picture(part: str) -> None:
    with pytest.raises(Invalid) as refused:
        framing.read("avatar", "", part)
    assert list(refused.value.errors) == ["avatar"]


async def test_the_part_that_was_chosen_is_cut_out() -> None:
    """Blue begins in the middle: of the right half nothing is red, of the left nothing blue."""
    picture = saved(halves(), "PNG")
    for part, seen in (("0 0 0.5 0.75", "r"), ("0.5 0.25 0.5 0.75", "b")):
        chosen = framing.read("avatar", "", part)
        made = await opened(picture, framing=chosen)
        shown = made["-400.webp"]
        assert {colour(shown, x, y) for x in (4, 200, 395) for y in (4, 395)} == {seen}


async def test_the_part_is_one_of_the_upright_picture() -> None:
    """The camera was held upright: what it wrote as the left is at the top."""
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = saved(halves(), "JPEG", exif=exif)
    top = await opened(picture, framing=framing.read("avatar", "", "0 0 1 0.5"))
    bottom = await opened(picture, framing=framing.read("avatar", "", "0 0.5 1 0.5"))
    assert colour(top["-96.jpg"], 48, 48) == "r"
    assert colour(bottom["-96.jpg"], 48, 48) == "b"


async def test_without_a_part_the_focus_stays_in_sight() -> None:
    picture = saved(halves(800, 200), "PNG")
    left = await opened(picture, framing=framing.read("avatar", "left-top", ""))
    right = await opened(picture, framing=framing.read("avatar", "right-middle", ""))
    assert colour(left["-400.jpg"], 395, 200) == "r"
    assert colour(right["-400.jpg"], 4, 200) == "b"


async def test_a_part_of_a_tiny_picture_is_a_pixel_at_least() -> None:
    tiny = saved(Image.new("RGB", (1, 3), "red"), "PNG")
    for part in ("0 0.98 1 0.02", "0.98 0 0.02 0.02"):
        made = await workshop.make("header", tiny, framing.read("header", "", part))
        assert set(made) == {"-1500.webp", "-1500.jpg"}
