"""Templates: one synchronous environment for pages and for fragments that go out live.

Jinja's asynchronous mode cost 1.1 ms of a 7.9 ms page (PERFORMANCE) and nothing here awaits in a
template, so pages are rendered in sync mode, outside any transaction.

Fragments (posts and notifications) never look at who is reading.  Posts are cached by everything
they show but the words of their age, which are put in each time, so a cached one is never stale and
never someone else's view.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape
from quart import has_request_context

from microblog.archives.queries import ArchiveView
from microblog.crossposts.queries import CrosspostView
from microblog.kernel import clock, i18n
from microblog.notifications.queries import NotificationView
from microblog.posts.queries import PostView
from microblog.web import languages
from microblog.web.avatars import avatar, header_picture
from microblog.web.compiled import Compiled, digest
from microblog.web.parts import Part
from microblog.web.reader import reader
from microblog.web.templates import Templates

_PACKAGE = Path(__file__).parent.parent
KEEPERS = ("rendering", "templates", "compiled")  # modules that make and read compiled templates
_AGE = secrets.token_hex(16)  # stands for the words of a post's age; nobody can write it in a post


def resource(name: str) -> Path:
    """A folder or file that the wheel carries inside the package and a checkout beside it."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


@cache
def environment(language: str) -> Templates:
    constants = {"static_url": static_url, "icon": icon}
    compiled = Compiled(language, _compiled_from())
    jinja = Templates(resource("templates"), language, constants, compiled)
    jinja.globals.update(
        avatar=avatar,
        header_picture=header_picture,
        format_date=languages.format_date,
        format_datetime=languages.format_datetime,
        format_day=languages.format_day,
        format_number=languages.format_number,
        format_relative=languages.format_relative,
    )
    return jinja


@cache
def _compiled_from() -> bytes:
    """The templates, what is compiled in (sentences, drawings and addresses of static files), and
    how they are compiled and kept."""
    modules = [Path(__file__).with_name(f"{name}.py") for name in KEEPERS]
    return digest([*modules, i18n.FOLDER, resource("templates"), resource("static")])


def render(template: str, **context: Any) -> str:  # noqa: ANN401 - a template shows anything
    """A page, with what it may say of its reader; outside a request, a fragment."""
    known = {}
    if has_request_context():
        known = reader()
        seen = (known["language"], known["time_zone"], clock.now())
        known["fragment"] = partial(_fragment, *seen)
        known["fragments"] = partial(_fragments, *seen)
    return _template(template).render(known | context)


async def warm(*, rest: float = 1.0) -> None:
    """Compile ahead what the first visitors would wait for, 0.3 s a language if it was not done
    before; half of the time, as `rest` says, is left to those who come meanwhile."""
    for language in i18n.LANGUAGES:
        i18n.when(timedelta(), language)  # reads what Babel knows of the language
        templates = environment(language)
        for template in templates.list_templates(filter_func=_is_page):
            began = time.perf_counter()
            templates.prepare(template)
            await asyncio.sleep(rest * (time.perf_counter() - began))
        await asyncio.to_thread(templates.compiled.keep)


def _is_page(template: str) -> bool:
    """Mails have an environment of their own."""
    return template.endswith(".html") and not template.startswith("mail/")


@cache
def static_url(path: str) -> str:
    """The address of a static file, with its content's hash so that it may be kept for ever.

    Scripts import one another by relative addresses, so theirs have the hash of all in the path.
    """
    if path.endswith(".js"):
        return f"/static/{scripts_version()}/{path}"
    content = (resource("static") / path).read_bytes()
    return f"/static/{path}?v={hashlib.sha256(content).hexdigest()[:8]}"


@cache
def scripts_version() -> str:
    """A folder name that changes with any of the scripts and starts with a tilde."""
    scripts = sorted(resource("static").rglob("*.js"))
    contents = b"\0".join(script.read_bytes() for script in scripts)
    return f"~{hashlib.sha256(contents).hexdigest()[:12]}"


@cache
def icon(name: str, more: str = "") -> Markup:
    """One drawing of static/icons.svg; decorative, the control around it carries the name."""
    classes = f"icon {more}" if more else "icon"
    drawing = '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>'
    return Markup(drawing).format(classes, static_url("icons.svg"), name)  # noqa: S704 - constant


def fragment(post: PostView) -> Markup:
    """The partial of a post in the reader's language, the same for every reader of it."""
    zone = languages.time_zone_name() if has_request_context() else ""
    return _fragment(languages.language(), zone, clock.now(), post)


def _fragment(language: str, zone: str, moment: datetime, post: PostView) -> Markup:
    return _fragments(language, zone, moment, [post])


def _fragments(language: str, zone: str, moment: datetime, posts: Sequence[PostView]) -> Markup:
    """In one piece: a template that goes through a page of posts takes longer than they do."""
    drawn = (
        _escaped(i18n.when(post.created_at - moment, language)).join(
            _around_age(post, language, zone)
        )
        for post in posts
    )
    return Markup("\n".join(drawn))  # noqa: S704 - escaped there


@lru_cache(maxsize=1000)
def _escaped(words: str) -> str:
    return str(escape(words))


def notification_fragment(notification: NotificationView) -> Markup:
    drawn = _partial("notifications/_notification.html", notification=notification)
    return Markup(drawn)  # noqa: S704 - escaped there


def part_fragment(part: Part) -> Markup:
    """How far a copy is that is made or read in."""
    if isinstance(part, ArchiveView):
        drawn = _partial("settings/_archive.html", archive=part)
    else:
        drawn = _partial("imports/_import.html", shown=part)
    return Markup(drawn)  # noqa: S704 - escaped there


def crossposts_fragment(copies: tuple[CrosspostView, ...]) -> Markup:
    """What an author is told of the copies of a post; the script puts their token in."""
    drawn = _partial("posts/_copies.html", copies=copies, token="")
    return Markup(drawn)  # noqa: S704 - escaped there


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Render for readers of `language` who are not the ones asking (live messages)."""
    token = languages.chosen_language.set(language)
    try:
        yield
    finally:
        languages.chosen_language.reset(token)


@lru_cache(maxsize=2000)
def _around_age(post: PostView, _language: str, _zone: str) -> list[str]:
    """The partial, cut where it says how old the post is."""
    template = "posts/_tombstone.html" if post.deleted else "posts/_post.html"
    return _partial(template, post=post, format_relative=lambda _moment: _AGE).split(_AGE)


def _partial(template: str, **context: object) -> str:
    """Without the reader: what it cannot see it cannot leak into another's page."""
    return _template(template).render(context)


def _template(name: str) -> Template:
    return environment(languages.language()).get_template(name)
