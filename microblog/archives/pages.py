"""The pages of a copy that people read: no script, nothing from elsewhere, all links within it.

index.html           who this was, and a table of contents
people.html          whom they followed, and who followed them
posts/2026-05.html   what they wrote in a month, oldest first, with the texts of before
style.css
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import dates
from markupsafe import Markup

from microblog.kernel import i18n, ids
from microblog.kernel.errors import N_
from microblog.posts import text

STYLE = """:root { color-scheme: light dark; --quiet: light-dark(#5a544c, #b3aca3); }
body { max-width: 40rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
body { font: 1.0625rem/1.55 system-ui, sans-serif; background: light-dark(#fbf9f5, #1c1a18); }
body { color: light-dark(#2a2622, #eae6e0); }
a { color: light-dark(#1d5f48, #8fd3b6); }
h1 { margin: .5rem 0 0; font-size: 1.75rem; line-height: 1.2; text-wrap: balance; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 1.25rem 0 .25rem; font-size: 1rem; }
ul { margin: 0; padding-inline-start: 1.25rem; }
nav, .months { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
img { display: block; max-width: 100%; height: auto; }
.avatar { width: 6rem; height: 6rem; border-radius: 50%; margin-top: 1rem; }
.wide { border-radius: .75rem; }
.wide + .avatar { margin: -3rem 0 0 1rem; border: 4px solid light-dark(#fbf9f5, #1c1a18); }
article { border-top: 1px solid #8884; padding: 1rem 0; }
article:target { background: #8881; }
article p { margin: 0; white-space: pre-line; }
.quiet, summary { color: var(--quiet); font-size: .875rem; }
.quiet { margin: 0; white-space: normal; }
.bio { white-space: pre-line; }
"""

TITLE = N_("What @%(name)s wrote on %(host)s")
MADE = N_("A copy made on %(date)s")
JOINED = N_("Here since %(date)s")
POSTS = N_("Posts: %(count)s")
NO_POSTS = N_("No posts yet.")
FOLLOWING = N_("Following: %(count)s")
FOLLOWERS = N_("Followers: %(count)s")
PEOPLE = N_("Whom @%(name)s follows, and who follows @%(name)s")
FILES = N_("For programs")
FILES_SAY = N_(
    "The files beside this page hold everything: %(files)s, and the pictures in media. Another site"
    " like this one can read the whole ZIP file in: in its settings, choose to bring along what you"
    " had."
)
REPLYING = N_("Replying to")
EDITED = N_("edited %(date)s")
BEFORE = N_("What it said before")
CAME_FROM = N_("from %(host)s")

_PAGE = Markup("""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="script-src 'none'; object-src 'none'">
<title>{title}</title>
<link rel="stylesheet" href="{root}style.css">
</head>
<body>
""")
_FOOT = Markup("</body>\n</html>\n")
_LINK = Markup('<a href="{url}">{words}</a>')
_OUT = Markup('<a href="{url}" rel="nofollow noopener noreferrer">{words}</a>')
_ITEM = Markup("<li>{}</li>\n")
_POST = Markup("""<article id="post-{id}">
<p class="quiet">{about}</p>
<p dir="auto">{text}</p>
{before}</article>
""")


class Month(NamedTuple):
    name: str  # 2026-05
    posts: int


def month_of(post_id: str) -> str:
    """By its place among posts, which is that of its date."""
    return f"{ids.moment(int(post_id)):%Y-%m}"


@dataclass(frozen=True, slots=True)
class Pages:
    """In the language and the time of their owner."""

    person: Mapping[str, Any]
    host: str
    language: str
    zone: tzinfo

    @classmethod
    def of(cls, person: Mapping[str, Any], host: str) -> Pages:
        chosen = person["settings"]
        return cls(person, host, chosen["language"] or i18n.DEFAULT, _zone(chosen["time_zone"]))

    def index(
        self,
        months: Sequence[Month],
        people: tuple[int, int],
        pictures: set[str],
        files: Sequence[str],
        at: datetime,
    ) -> str:
        profile = self.person["profile"]
        joined = self._said(JOINED, date=self._day(datetime.fromisoformat(profile["created_at"])))
        return Markup("").join([
            self._head(self._said(TITLE, name=profile["name"], host=self.host)),
            Markup("<header>\n"),
            *_pictures(profile, pictures),
            Markup("<h1><bdi>{}</bdi></h1>\n").format(profile["display_name"] or profile["name"]),
            Markup('<p class="quiet"><bdi>@{}@{}</bdi></p>\n').format(profile["name"], self.host),
            *self._words(profile),
            Markup('<p class="quiet">{} · {}</p>\n</header>\n<main>\n').format(
                joined, self._said(MADE, date=self._day(at))
            ),
            *self._contents(months, people),
            Markup("<h2>{}</h2>\n<p>{}</p>\n</main>\n").format(
                self._said(FILES), self._said(FILES_SAY, files=", ".join(files))
            ),
            _FOOT,
        ])  # fmt: skip

    def month_head(self, month: str, before: str | None) -> str:
        title = self._month(month)
        links = [("../index.html", f"@{self.person['profile']['name']}")]
        if before:
            links.append((f"{before}.html", f"← {self._month(before)}"))
        return Markup("{}{}<main>\n<h1>{}</h1>\n").format(
            self._head(title, root="../"), _nav(links), title
        )

    def month_foot(self, after: str | None) -> str:
        links = [(f"{after}.html", f"{self._month(after)} →")] if after else []
        return Markup("</main>\n{}{}").format(_nav(links) if links else "", _FOOT)

    def post(self, record: Mapping[str, Any]) -> str:
        return _POST.format(
            id=record["id"],
            about=Markup(" · ").join(self._about(record)),
            text=_linked(record["text"]),
            before=self._before(record["earlier"]),
        )

    def people_head(self) -> str:
        title = self._said(PEOPLE, name=self.person["profile"]["name"])
        links = [("index.html", f"@{self.person['profile']['name']}")]
        return Markup("{}{}<main>\n<h1>{}</h1>\n").format(self._head(title), _nav(links), title)

    def people_section(self, sentence: str, count: int) -> str:
        return Markup("<h2>{}</h2>\n<ul>\n").format(self._said(sentence, count=count))

    def people_items(self, names: Iterable[str]) -> str:
        each = (Markup("<bdi>@{}@{}</bdi>").format(name, self.host) for name in names)
        return Markup("").join(_ITEM.format(one) for one in each)

    def people_foot(self) -> str:
        return Markup("</main>\n") + _FOOT

    def _words(self, profile: Mapping[str, Any]) -> Iterable[Markup]:
        if profile["bio"]:
            yield Markup('<p class="bio" dir="auto">{}</p>\n').format(_linked(profile["bio"]))
        if facts := [profile[field] for field in ("pronouns", "location") if profile[field]]:
            yield Markup("<p>{}</p>\n").format(" · ".join(facts))
        if profile["links"]:
            links = [_OUT.format(url=url, words=label or url) for label, url in profile["links"]]
            yield Markup("<ul>\n{}</ul>\n").format(Markup("").join(map(_ITEM.format, links)))

    def _contents(self, months: Sequence[Month], people: tuple[int, int]) -> Iterable[Markup]:
        count = sum(month.posts for month in months)
        yield Markup("<h2>{}</h2>\n").format(self._said(POSTS, count=count) if count else
                                             self._said(NO_POSTS))  # fmt: skip
        for year in sorted({month.name[:4] for month in months}, reverse=True):
            theirs = [month for month in months if month.name.startswith(year)]
            items = Markup("").join(self._of_month(month) for month in theirs)
            yield Markup('<h3>{}</h3>\n<ul class="months">\n{}</ul>\n').format(year, items)
        said = [self._said(FOLLOWING, count=people[0]), self._said(FOLLOWERS, count=people[1])]
        words = " · ".join(said)
        yield Markup("<h2>{}</h2>\n").format(_LINK.format(url="people.html", words=words))

    def _of_month(self, month: Month) -> Markup:
        link = _LINK.format(url=f"posts/{month.name}.html", words=self._month(month.name, "LLLL"))
        return _ITEM.format(Markup('{} <span class="quiet">{}</span>').format(link, month.posts))

    def _about(self, record: Mapping[str, Any]) -> Iterable[Markup]:
        """When it was written, whom it answers, whether it was changed, where it comes from."""
        yield _LINK.format(url=f"#post-{record['id']}", words=self._when(record["at"]))
        if record["in_reply_to_name"]:
            yield Markup("{} {}").format(self._said(REPLYING), _answered(record))
        if record["edited_at"]:
            yield Markup("{}").format(self._said(EDITED, date=self._when(record["edited_at"])))
        if record.get("origin"):
            yield Markup("{}").format(self._said(CAME_FROM, host=record["origin"]["host"]))

    def _before(self, earlier: Sequence[Mapping[str, Any]]) -> Markup:
        if not earlier:
            return Markup("")
        texts = Markup("").join(
            Markup('<p class="quiet">{}</p>\n<p dir="auto">{}</p>\n').format(
                self._when(one["at"]), _linked(one["text"])
            )
            for one in earlier
        )
        sentence = self._said(BEFORE)
        return Markup("<details><summary>{}</summary>\n{}</details>\n").format(sentence, texts)

    def _head(self, title: str, root: str = "") -> Markup:
        return _PAGE.format(language=self.language, title=title, root=root)

    def _said(self, sentence: str, **values: object) -> str:
        return str(i18n.translations(self.language).gettext(sentence) % values)

    def _when(self, written: str) -> str:
        at = datetime.fromisoformat(written).astimezone(self.zone)
        shown = dates.format_datetime(at, "medium", locale=i18n.locale(self.language))
        return str(shown) if at.utcoffset() else f"{shown} UTC"

    def _day(self, at: datetime) -> str:
        day = at.astimezone(self.zone).date()
        return str(dates.format_date(day, "long", locale=i18n.locale(self.language)))

    def _month(self, month: str, form: str = "LLLL y") -> str:
        day = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
        return str(dates.format_date(day, form, locale=i18n.locale(self.language)))


def _nav(links: Sequence[tuple[str, str]]) -> Markup:
    drawn = Markup("\n").join(_LINK.format(url=url, words=words) for url, words in links)
    return Markup("<nav>\n{}\n</nav>\n").format(drawn)


def _answered(record: Mapping[str, Any]) -> Markup:
    """Their own post, which is in this copy, or somebody's name."""
    name = Markup("<bdi>@{}</bdi>").format(record["in_reply_to_name"])
    if not record["in_reply_to_own"]:
        return name
    month = month_of(record["in_reply_to"])
    return _LINK.format(url=f"{month}.html#post-{record['in_reply_to']}", words=name)


def _pictures(profile: Mapping[str, Any], here: set[str]) -> Iterable[Markup]:
    """Those that are in this copy."""
    for kind, width, style in (("header", "1500", "wide"), ("avatar", "400", "avatar")):
        name = f"{profile[kind]}-{width}.jpg"
        if profile[kind] and name in here:
            yield Markup('<img class="{}" src="media/{}" alt="{}">\n').format(
                style, name, profile[f"{kind}_alt"]
            )


def _linked(written: str) -> Markup:
    """Links can be followed; names and tags are words, since they would lead to another site."""
    return Markup("").join(
        _OUT.format(url=one.value, words=one.text) if one.kind == "link" else one.text
        for one in text.parse(written)
    )


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC
