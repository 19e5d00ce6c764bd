"""Which names people can have.  A name is the @name: it stands in URLs and in mentions."""

from __future__ import annotations

import re

from microblog.kernel.errors import N_, Invalid
from microblog.kernel.text import one_line

LONGEST = 30
_GRAMMAR = re.compile(r"[A-Za-z0-9_]{1,30}")

# Words of the site itself, and those who seem to speak for it in a mail or a mention.
_RESERVED = """
    about abuse account accounts admin administrator admins all anonymous api app apps assets
    auth blog bookmark bookmarks boost boosts bot confirm contact copyright dashboard delete
    deleted dev dm dms docs edit email everybody everyone explore export favicon feed feeds
    follow followers following follows help here home host hostmaster import inbox index info
    invite invites like likes list lists live localhost login logout mail mailer_daemon me media
    mention mentions message messages microblog mod moderation moderator moderators mods myself
    new news no_reply nobody noreply notification notifications null oauth official owner
    password passwords post postmaster posts press privacy profile profiles public register
    registration replies reply report reports robots root rss search security self session
    sessions settings share shortcuts signin signout signup site sitemap staff static status
    stream support sysadmin system tag tags team terms timeline timelines undefined unfollow
    unsubscribe upload uploads user username users verified webmaster well_known www
"""
RESERVED = frozenset(_RESERVED.split())


def key(name: str) -> str:
    """Under which a name is unique."""
    return name.lower()


def is_name(written: str) -> bool:
    return _GRAMMAR.fullmatch(written) is not None


def check_name(written: str) -> str:
    """The name without a leading @ and blank edges; raises `Invalid("username")`."""
    name = one_line(written).removeprefix("@")
    if not name:
        raise Invalid("username", N_("Choose a name."))
    if len(name) > LONGEST:
        raise Invalid("username", N_("A name has at most %(most)s characters."), most=LONGEST)
    if not is_name(name):
        raise Invalid("username", N_("A name has only the letters a to z, digits and underscores."))
    if key(name) in RESERVED or not name.strip("_"):
        raise Invalid("username", N_("That name is kept for the site. Choose another."))
    return name
