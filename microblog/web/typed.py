"""What somebody typed into a form that was refused before its route had read it, to give it back.

Too often, too late, or no database: the page that says so shows every text that was typed, and,
where the same form may be taken later, a button that sends it once more with its choices.  What
proves who somebody is, is never shown again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from quart import g, request
from werkzeug.datastructures import MultiDict

from microblog.kernel.errors import N_
from microblog.web.languages import translated

# Fields that people write in, by the labels they have where they are; a test finds new ones.
TEXTS = {
    "body": N_("Your text"),
    "draft": N_("Your text"),
    "words": N_("In your words"),
    "reason": N_("Reason"),
    "bio": N_("About you"),
    "description": N_("Short description"),
    "rules": N_("Rules"),
}
LINES = {
    "display_name": N_("Displayed name"),
    "pronouns": N_("Pronouns"),
    "location": N_("Place"),
    "avatar_alt": N_("What it shows"),
    "header_alt": N_("What it shows"),
    "username": N_("Name"),
    "login": N_("Name or e-mail"),
    "email": N_("E-mail"),
    "name": N_("Name"),
    "note": N_("For whom"),
    "value": N_("Name, domain or range"),
    "contact_name": N_("Who looks after this site"),
    "contact_email": N_("Their e-mail address"),
    "post_limit": N_("Characters in a post"),
    "invitations_each": N_("Invitations a person may have at the same time"),
    "uses": N_("How many people may come by it"),
}
NUMBERED = {"link_label": N_("Label %(number)s"), "link_url": N_("Address %(number)s")}
_SECRET = re.compile(r"password|code|credential|token|^kept_")  # nor what waits for a proof
TICKED = "on"  # a box, whatever its name
AGAIN = (403, 429, 503, 507)


@dataclass(frozen=True, slots=True)
class Text:
    name: str
    label: str
    text: str
    has_lines: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """`rest` goes along unseen, by name and value, when it `may_go_again`."""

    texts: list[Text]
    rest: list[tuple[str, str]]
    may_go_again: bool


def note(sent: MultiDict[str, str]) -> None:
    """Called for what certainly was sent from a page of this site (`web.guard`)."""
    g.typed = sent


def returned(status: int) -> Typed | None:
    sent: MultiDict[str, str] = g.get("typed") or MultiDict()
    texts, rest = [], []
    for name, value in sent.items(multi=True):
        if _SECRET.search(name):
            continue
        if (label := label_of(name)) is None or value in ("", TICKED):
            rest.append((name, value))
        else:
            texts.append(Text(name, label, value, name in TEXTS))
    return Typed(texts, rest, status in AGAIN and _is_from_here()) if texts else None


def words() -> str | None:
    """All of it as one text, for a page that keeps just that."""
    found = returned(0)
    return "\n\n".join(one.text for one in found.texts) if found else None


def label_of(name: str) -> str | None:
    if (label := TEXTS.get(name) or LINES.get(name)) is not None:
        return translated(label)
    kind, _, number = name.rpartition("_")
    return translated(NUMBERED[kind], {"number": number}) if kind in NUMBERED else None


def _is_from_here() -> bool:
    """Whether the browser says so itself: only then a page of ours may send it with a token."""
    return bool(request.headers.get("Origin") or request.headers.get("Sec-Fetch-Site"))
