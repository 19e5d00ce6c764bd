"""What a page weighs before compression (INTERFACE): what its markup names, with all that those
files name in turn, and the elements that `app.js` fetches because their tags are on the page.

What comes later, because a key was pressed or a pointer came to rest, is counted by itself.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.world import World

STATIC = Path(__file__).parent.parent.parent / "static"
MOST_HTML, MOST_CSS, MOST_JS, MOST_LATER = 60_000, 30_000, 40_000, 6_000

_SHEET = re.compile(r'rel="stylesheet" href="/static/([^?"]+)')
_IMPORT = re.compile(r'^(?:import|\} from|import .* from) "([^"]+)"', re.MULTILINE)
_DEFINED = re.compile(r'customElements\.define\("([^"]+)"')
_LATER = re.compile(r'(?:import\(|localName: )"([^"]+)"')
_TAG = re.compile(r"<([a-z]+-[a-z-]+)")

WORDS = (
    "The first bees are out, on the crocuses beside the old wall, and nobody told them that it is "
    "still February. I counted eleven before the sun went. https://example.org/bees/2026/first"
)


def imported(script: Path, known: dict[Path, int]) -> dict[Path, int]:
    """The script and all that it imports, with their sizes."""
    if script not in known:
        known[script] = script.stat().st_size
        for name in _IMPORT.findall(script.read_text()):
            imported((script.parent / name).resolve(), known)
    return known


def scripts_of(page: str) -> dict[Path, int]:
    known = imported(STATIC / "js" / "app.js", {})
    defined = {tag for script in known for tag in _DEFINED.findall(script.read_text())}
    for tag in set(_TAG.findall(page)) - defined:
        imported(STATIC / "js" / "elements" / f"{tag}.js", known)
    return known


def weights(page: str) -> tuple[int, int, int]:
    sheets = sum((STATIC / name).stat().st_size for name in _SHEET.findall(page))
    return len(page.encode()), sheets, sum(scripts_of(page).values())


MEMBERS = (
    "/", "/explore", "/notifications", "/@ada", "/@ada/followers", "/@ada/{post}", "/posts/new",
    "/posts/{post}/edit", "/@ada/{post}/history", "/posts/{post}/report", "/settings/profile",
    "/settings/appearance", "/settings/account", "/settings/passkeys", "/about/moderation",
    "/shortcuts",
)  # fmt: skip
VISITORS = ("/", "/explore", "/@ada", "/login", "/register", "/nothing-here")


@pytest.fixture
async def pages(world: World) -> dict[str, str]:
    ada = await world.person("ada")
    ben = await world.person("ben")
    for name in ("cleo", "dan", "eve", "fay"):
        await world.person(name)
    await ada.follows(ben)
    post = 0
    for number in range(30):
        parent = post if number % 3 == 0 and post else None
        post = await (ben, ada)[number % 2].posts(
            f"{WORDS} @ada #bees {number}", in_reply_to=parent
        )
    found = {path: await ada.page(path.format(post=post)) for path in MEMBERS}
    for path in VISITORS:
        answer = await world.visitor().get(path)
        found[f"{path} of a visitor"] = await answer.get_data(as_text=True)
    return found


async def test_no_page_is_heavier_than_promised(pages: dict[str, str]) -> None:
    for path, page in pages.items():
        html, css, js = weights(page)
        print(f"{path}: HTML {html:,}, CSS {css:,}, JS {js:,}")
        assert css <= MOST_CSS, (path, css)
        assert js <= MOST_JS, (path, js)
    assert pages["/"].count("<article id=") == 25
    assert weights(pages["/"])[0] <= MOST_HTML


async def test_what_comes_after_an_act_is_little(pages: dict[str, str]) -> None:
    known = scripts_of(pages["/"])
    before = sum(known.values())
    app, frame = (STATIC / "js" / name for name in ("app.js", "lib/frame.js"))
    later = set(_LATER.findall(app.read_text())) | set(_LATER.findall(frame.read_text()))
    assert later == {"./lib/shortcuts.js", "./shortcuts.js", "hover-card"}
    for script in ("lib/shortcuts.js", "elements/hover-card.js"):
        imported(STATIC / "js" / script, known)
    print(f"after a key or a pointer at rest: {sum(known.values()) - before:,} bytes more")
    assert sum(known.values()) - before <= MOST_LATER
