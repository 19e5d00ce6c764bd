"""The page of a copy that people read: no script, nothing from elsewhere, only what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from babel import dates
from markupsafe import Markup, escape

from microblog.kernel import i18n
from microblog.kernel.errors import N_

_HEAD = Markup("""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ max-width: 40rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }}
body {{ font: 1.06rem/1.55 system-ui, sans-serif; }}
article {{ border-top: 1px solid #8886; padding: .75rem 0; }}
article p {{ margin: 0; white-space: pre-line; }}
.quiet {{ opacity: .75; font-size: .9rem; white-space: normal; }}
</style>
</head>
<body>
<header>
<h1><bdi>{shown}</bdi> <bdi>@{name}</bdi></h1>
<p>{bio}</p>
<p class="quiet">{facts}</p>
</header>
<main>
""")
_POST = Markup("""<article id="post-{id}">
<p class="quiet">{when}{answering}</p>
<p dir="auto">{text}</p>
</article>
""")
_ANSWERING = Markup(" · {words} <bdi>@{name}</bdi>")
FOOT = "</main>\n</body>\n</html>\n"
TITLE = N_("All that @%(name)s posted")
FACTS = N_("Posts: %(posts)s. The files beside this page hold everything in a form for programs.")
REPLYING = N_("Replying to")


def head(profile: Mapping[str, Any], total: int, language: str) -> str:
    said = i18n.translations(language)
    return _HEAD.format(
        language=language,
        title=said.gettext(TITLE) % {"name": profile["name"]},
        shown=profile["display_name"] or profile["name"],
        name=profile["name"],
        bio=profile["bio"],
        facts=said.gettext(FACTS) % {"posts": total},
    )


def post(record: Mapping[str, Any], language: str) -> str:
    at = datetime.fromisoformat(record["at"])
    when = dates.format_datetime(at, "medium", locale=i18n.locale(language))
    name = record["in_reply_to_name"]
    words = i18n.translations(language).gettext(REPLYING)
    answering = _ANSWERING.format(words=words, name=name) if name else Markup()
    return _POST.format(
        id=record["id"], when=f"{when} UTC", answering=answering, text=escape(record["text"])
    )
