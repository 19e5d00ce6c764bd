"""What people may say of themselves: the displayed name and the bio."""

from __future__ import annotations

import regex

from microblog.kernel.errors import N_, Invalid
from microblog.kernel.text import graphemes, is_blank, one_line, tidy

LONGEST_NAME = 50
LONGEST_BIO = 300
_NAME_CODE_POINTS = 200
_BIO_BYTES = 4096

# Cannot be seen, so two names with them look like one; or they turn around the text that follows.
# Joiners (U+200C, U+200D) stay: Persian and emoji need them; `is_blank` finds names of only those.
_HIDDEN = regex.compile(
    r"[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# More marks on one letter than any script has: they climb over the lines around.
_PILED = regex.compile(r"\p{M}{5}")


def check_display_name(written: str) -> str:
    """On one line; empty means that the @name is shown.  Raises `Invalid("display_name")`."""
    name = one_line(written)
    if graphemes(name) > LONGEST_NAME or len(name) > _NAME_CODE_POINTS:
        sentence = N_("A displayed name has at most %(most)s characters.")
        raise Invalid("display_name", sentence, most=LONGEST_NAME)
    if name and (is_blank(name) or _HIDDEN.search(name) or _PILED.search(name)):
        raise Invalid("display_name", N_("This name has characters that cannot be seen."))
    return name


def check_bio(written: str) -> str:
    """Raises `Invalid("bio")`."""
    bio = tidy(written)
    if graphemes(bio) > LONGEST_BIO or len(bio.encode()) > _BIO_BYTES:
        raise Invalid("bio", N_("That is too long: at most %(most)s characters."), most=LONGEST_BIO)
    return "" if is_blank(bio) else bio
