"""From a letter to the bytes that leave: templates, then headers, then MIME.

Everything in a message is 7-bit: subjects as encoded words, bodies quoted-printable, so that any
server takes the same bytes at every try.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel.dates import UTC, format_date, format_time, get_timezone
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from microblog.kernel import i18n
from microblog.kernel.text import one_line, shortened
from microblog.mail.addresses import Mailbox, is_address, mail_domain
from microblog.mail.letters import Letter
from microblog.mail.mime import message_bytes

LONGEST_SUBJECT = 140
LONGEST_GRAPHEME = 20  # code points of any that is worth a thought

_BLANK_LINES = re.compile(r"\n{3,}")
# Marks that turn the direction of what follows, or show nothing: a name stays within itself.
_UNSEEN = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")


class Renderer:
    """Writes letters with the templates of `templates`/mail.

    `sender` is who all mail is from; `base_url` gives links and the domain of ids.
    `with_passwords`: whether people have one here, which they may be told to change.
    """

    def __init__(
        self,
        templates: Path,
        *,
        site_name: str,
        base_url: str,
        sender: Mailbox,
        with_passwords: bool,
    ) -> None:
        self._folder = templates / "mail"
        self._site_name = site_name
        self._base_url = base_url
        self._sender = sender
        self._with_passwords = with_passwords
        self._domain = mail_domain(urlsplit(base_url).hostname or "")
        self._environments: dict[str, Environment] = {}

    def rename(self, site_name: str, sender: Mailbox) -> None:
        """What the site calls itself from the next letter on."""
        self._site_name, self._sender = site_name, sender

    def __call__(self, letter: Letter, message_id: str) -> bytes:
        """Raises jinja2.TemplateError or ValueError; nothing else is expected."""
        if not is_address(letter.to):
            raise ValueError("the address has a shape no mail is sent to")
        return message_bytes(
            self._headers(letter, message_id),
            sender=self._sender,
            text=self._text(letter),
            html=self._part(letter, "body.html"),
        )

    @cached_property
    def kinds(self) -> list[str]:
        """Names of the folders of templates."""
        return sorted(each.name for each in self._folder.iterdir() if each.is_dir())

    def _headers(self, letter: Letter, message_id: str) -> dict[str, str]:
        subject = shortened(self._part(letter, "subject.txt"), LONGEST_SUBJECT)
        headers = {
            "To": letter.to,
            "Subject": subject,
            "Message-ID": f"<{message_id}@{self._domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        }
        if letter.thread:
            root = f"<{letter.thread}@{self._domain}>"
            headers |= {"In-Reply-To": root, "References": root}
        if letter.list_name:
            headers["List-Id"] = f"<{letter.list_name}.{self._domain}>"
        if letter.unsubscribe:
            headers["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers

    def _text(self, letter: Letter) -> str:
        return _BLANK_LINES.sub("\n\n", self._part(letter, "body.txt")).strip() + "\n"

    def _part(self, letter: Letter, name: str) -> str:
        template = self._environment(letter.language).get_template(f"{letter.template}/{name}")
        return template.render(self._common(letter) | letter.context)

    def _common(self, letter: Letter) -> dict[str, Any]:
        return {
            "site_name": self._site_name,
            "base_url": self._base_url,
            "with_passwords": self._with_passwords,
            "settings_url": f"{self._base_url}/settings/mail",
            "unsubscribe_url": letter.unsubscribe,
            "time_zone": "UTC",
        }

    def _environment(self, language: str) -> Environment:
        if language not in self._environments:
            self._environments[language] = _environment(self._folder, language)
        return self._environments[language]


@cache
def _zone(name: str) -> tzinfo:
    try:
        return get_timezone(name)
    except LookupError:  # a zone this machine does not know
        return UTC


def _environment(folder: Path, language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    catalogue = i18n.translations(language)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["language"] = language

    def exact(moment: datetime, time_zone: str) -> str:
        there, locale = moment.astimezone(_zone(time_zone)), i18n.locale(language)
        date, time = format_date(there, "long", locale), format_time(there, "short", locale=locale)
        return f"{date}, {time} {there.tzname()}"

    environment.filters |= {"plain": _plain, "quoted": _quoted, "excerpt": _excerpt, "exact": exact}
    return environment


def _plain(text: str) -> str:
    """A name or another line somebody chose, for text parts and subjects."""
    return one_line(_UNSEEN.sub("", text))


def _excerpt(text: str, length: int = 60) -> str:
    return shortened(_plain(text[: length * LONGEST_GRAPHEME]), length)


def _quoted(text: str) -> str:
    """Marked as somebody's words, line by line: what follows a forged "-- " is theirs, too."""
    lines = _UNSEEN.sub("", text).splitlines() or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)
