"""What people may say of themselves: the displayed name, the bio, pronouns, a place, links."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import regex

from microblog.kernel import web_addresses
from microblog.kernel.errors import N_, Invalid
from microblog.kernel.text import graphemes, is_blank, one_line, tidy

LONGEST_NAME = 50
LONGEST_BIO = 500
LONGEST_PRONOUNS = 40
LONGEST_LOCATION = 60
LONGEST_LABEL = 30
MOST_LINKS = 4
_NAME_CODE_POINTS = 200
_BIO_BYTES = 4096
_BYTES_A_CHARACTER = 4
_URL_BYTES = 500
_UNFIT = regex.compile(r"[\s\p{C}\\<>\"`{}|^]")

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


def check_pronouns(written: str) -> str:
    """Raises `Invalid("pronouns")`."""
    return _short("pronouns", written, LONGEST_PRONOUNS)


def check_location(written: str) -> str:
    """Raises `Invalid("location")`."""
    return _short("location", written, LONGEST_LOCATION)


def check_links(written: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Label and address of each that has an address.

    Raises `Invalid` for all of "link_label_1", "link_url_1", "link_label_2" … that are refused.
    """
    refusals, found = [], []
    for number, (label, url) in enumerate(written[:MOST_LINKS], 1):
        try:
            if address := check_link(f"link_url_{number}", url):
                found.append([_short(f"link_label_{number}", label, LONGEST_LABEL), address])
        except Invalid as refusal:
            refusals.append(refusal)
    if refusals:
        raise Invalid.together(refusals)
    return found


def check_link(field: str, written: str) -> str:
    """An address on the web, or ""; `https://` may be left out.  Raises `Invalid(field)`."""
    url = one_line(written)
    if not url:
        return ""
    if "://" not in url:
        url = f"https://{url}"
    if len(url.encode()) > _URL_BYTES:
        raise Invalid(field, N_("This address is too long."))
    honest = web_addresses.is_honest(url) and not _UNFIT.search(url)
    if not honest or urlsplit(url).scheme not in ("http", "https"):
        raise Invalid(field, N_("Give an address that begins with https:// or http://."))
    return url


def _short(field: str, written: str, most: int) -> str:
    words = one_line(written)
    if graphemes(words) > most or len(words.encode()) > most * _BYTES_A_CHARACTER:
        raise Invalid(field, N_("That is too long: at most %(most)s characters."), most=most)
    if words and (_HIDDEN.search(words) or _PILED.search(words)):
        raise Invalid(field, N_("This has characters that cannot be seen."))
    return "" if is_blank(words) else words
