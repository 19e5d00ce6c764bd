"""Pictures of people who do not exist, for the pretend providers; to each name always one."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

from microblog.kernel.later import Later

if TYPE_CHECKING:
    from PIL import Image, ImageDraw
else:
    Image, ImageDraw = Later("PIL.Image"), Later("PIL.ImageDraw")


def drawn(person: str, size: int) -> bytes:
    """A PNG of head and shoulders."""
    tints = hashlib.sha256(person.encode()).digest()
    ground, figure = (tuple(96 + tint % 128 for tint in some) for some in (tints[:3], tints[3:6]))
    picture = Image.new("RGB", (size, size), ground)
    draw = ImageDraw.Draw(picture)
    draw.ellipse([size * 0.32, size * 0.18, size * 0.68, size * 0.54], fill=figure)
    draw.ellipse([size * 0.15, size * 0.62, size * 0.85, size * 1.4], fill=figure)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
