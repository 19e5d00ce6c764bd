"""What of a picture is shown: a part that somebody cut out in the browser, or, without a script, as
much as fits around what matters most.

The picture that was sent is not kept, so another part needs the picture once more: originals would
keep what a person meant to cut away, and the notes that cameras write.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from microblog.kernel.errors import N_, Invalid

MIDDLE = "middle-middle"
UNCLEAR = N_("It is not clear what of the picture is to be shown. Choose the picture again.")
_ACROSS = {"left": 0.0, "middle": 0.5, "right": 1.0}
_DOWN = {"top": 0.0, "middle": 0.5, "bottom": 1.0}
# Row by row, as people see them.
FOCUSES = tuple(f"{across}-{down}" for down, across in product(_DOWN, _ACROSS))
_SMALLEST = 0.02  # of a side
_ROUNDING = 0.001


@dataclass(frozen=True, slots=True)
class Framing:
    """`part`: left, top, width and height of the part shown, as parts of the upright picture.
    `focus`: one of `FOCUSES`; as in CSS, which side is kept where there is too much."""

    focus: str = MIDDLE
    part: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)

    @property
    def centring(self) -> tuple[float, float]:
        across, down = self.focus.split("-")
        return _ACROSS[across], _DOWN[down]


WHOLE = Framing()


def read(kind: str, focus: str, part: str) -> Framing:
    """What a form says; empty is all and its middle.  Raises `Invalid(kind)`."""
    focus = focus or MIDDLE
    if focus not in FOCUSES:
        raise Invalid(kind, UNCLEAR)
    return Framing(focus, _part(kind, part) if part else WHOLE.part)


def _part(kind: str, written: str) -> tuple[float, float, float, float]:
    try:
        left, top, width, height = map(float, written.split(" "))
    except ValueError as error:
        raise Invalid(kind, UNCLEAR) from error
    for start, size in ((left, width), (top, height)):
        if not (start >= 0 and size >= _SMALLEST and start + size <= 1 + _ROUNDING):  # nor NaN
            raise Invalid(kind, UNCLEAR)
    return left, top, width, height
