"""Whatever is sent, in whichever place of a request, is answered, never a failure (SECURITY R20).

No route reads JSON from a request: what JSON there is comes as a field of a form (passkeys), or on
the live socket, where garbage ends the connection (`tests/live/test_socket.py`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from quart import Quart
from sqlalchemy import update
from werkzeug.routing import Rule

from microblog.accounts.model import Account
from tests.test_house import ROOT, WITHOUT_TOKEN
from tests.web.visitor import text
from tests.world import Person, World

FORM = "application/x-www-form-urlencoded"
# Bytes as they come over the wire: no UTF-8, a lone surrogate, half a character, other digits.
ODD = (
    b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80", "\u0663\u0661\u2028\u202e".encode(), b"-1",
    b"9" * 5000, b"{" * 9000, b'{"id":"\\ud800","type":[]}', b"'\"--%s{{7*7}}\r\nX: y",
)  # fmt: skip
COOKIES = ("session", "flash", "visitor", "step", "challenge", "device", "registrant", "journey",
           "newcomer", "theme")  # fmt: skip


async def administrator(world: World) -> Person:
    ada = await world.person("ada")
    await ada.posts("Hello")
    async with world.db.writing() as session:
        await session.execute(update(Account).values(role="administrator"))
    return ada


def names_read() -> list[str]:
    """Of all fields and parameters that any page reads."""
    found: set[str] = {"link_url_1", "link_label_1", "avatar_alt", "avatar_focus", "kept_body"}
    for path in (ROOT / "microblog" / "web").glob("*.py"):
        source = path.read_text()
        for call in re.findall(
            r"(?:read_form|args\.get|place)\(([^)]*)\)|form\[([^\]]*)\]", source
        ):
            found |= set(re.findall(r'"(\w+)"', "".join(call)))
    return sorted(found)


def rules(app: Quart, method: str) -> Iterator[Rule]:
    return (rule for rule in app.url_map.iter_rules() if method in (rule.methods or set()))


def filled(rule: Rule, value: bytes) -> str:
    return re.sub(r"<[^>]*>", quote_from_bytes(value[:300], safe=""), rule.rule)


async def answered(answer: Any, *about: object) -> int:
    assert answer.status_code < 500 or answer.status_code in (503, 507), (
        *about, answer.status_code, (await text(answer))[:200],
    )  # fmt: skip
    return int(answer.status_code)


def test_no_route_reads_json() -> None:
    for path in (ROOT / "microblog" / "web").glob("*.py"):
        assert not re.search(r"get_json|request\.json|request\.(get_)?data", path.read_text()), path
    assert {"body", "credential", "next", "before", "find", "kind"} <= set(names_read())


NUL = b"a\0"  # SQLite takes it in texts, PostgreSQL does not


def one(of: Sequence[Any], rule: Rule) -> Any:
    """Another one for each route, the same in each run: all for all would take a minute."""
    return of[zlib.crc32(f"{rule.endpoint}".encode()) % len(of)]


async def test_every_page_answers_whatever_is_in_its_address(world: World) -> None:
    ada = await administrator(world)
    for rule in rules(world.app, "GET"):
        for value in (one(ODD, rule), NUL):
            odd = quote_from_bytes(value, safe="")[:900]
            query = "&".join(f"{name}={odd}" for name in (*names_read(), odd[:90]))
            await answered(await ada.client.get(filled(rule, value)), rule, value)
            await answered(await ada.client.get(f"{filled(rule, b'1')}?{query}"), rule, value)


async def test_no_file_has_such_a_long_name(world: World) -> None:
    answer = await world.visitor().get(f"/static/{'9' * 300}")
    assert answer.status_code == 404


async def test_every_form_answers_whatever_is_in_its_fields(world: World) -> None:
    ada = await administrator(world)
    for rule in rules(world.app, "POST"):
        person = await world.on_another_device(ada)
        headers = {"Content-Type": FORM, "X-CSRF-Token": person.csrf}
        for value in (one(ODD, rule), NUL):
            odd = quote_from_bytes(value, safe="")
            body = "&".join(f"{name}={odd}" for name in names_read())
            path = filled(rule, value if value is NUL else b"1")
            answer = await person.client.post(path, data=body, headers=headers)
            await answered(answer, rule, value)


PART = (
    b"--x\r\nContent-Disposition: form-data; name=%s\r\nContent-Type: %s\r\n\r\n\xff\r\n--x--\r\n"
)
NO_FORMS = (
    ("application/json", b"{"), ("application/json", b"[" * 100_000),
    ("application/json", b'{"body": "\\ud800"}'), ("application/json; charset=utf-16", b"\xff"),
    (f"{FORM}; charset=bogus", b"body=x"), (f"{FORM}; charset=utf-16", b"body=\xff"),
    (FORM, b"\xff=\xff&=&&;%%%zz"), ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=", b"--\r\n"), ("multipart/form-data; boundary=x", b"--x"),
    ("multipart/form-data; boundary=x", PART % (b'"\xff"; filename="\xed\xa0\x80"', b"\xff")),
    ("multipart/form-data; boundary=x", PART % (b'"body"', b"text/plain; charset=bogus")),
    ("\xff; \x00", b"x"), ("", b"\x00"),
)  # fmt: skip


async def test_what_is_no_form_is_refused(world: World) -> None:
    """It has no token; and whoever sends that in a header, sends a form without fields."""
    ada = await administrator(world)
    for rule in rules(world.app, "POST"):
        person, path = await world.on_another_device(ada), filled(rule, b"1")
        kind, body = one(NO_FORMS, rule)
        answer = await person.client.post(path, data=body, headers={"Content-Type": kind})
        status = await answered(answer, rule, kind, body)
        assert status in (400, 403, 413) or rule.endpoint in WITHOUT_TOKEN, (rule, kind, body)
        headers = {"Content-Type": kind, "X-CSRF-Token": person.csrf}
        answer = await person.client.post(path, data=body, headers=headers)
        await answered(answer, rule, kind, body)


HEADERS = (
    "Accept", "Accept-Language", "Accept-Encoding", "User-Agent", "Referer", "Origin", "Range",
    "If-None-Match", "If-Modified-Since", "Sec-Fetch-Site", "X-Forwarded-For", "X-Forwarded-Proto",
    "X-Request-Id", "X-CSRF-Token", "Authorization", "Content-Type", "Cookie",
)  # fmt: skip
IN_HEADERS = (
    "\xff\xed\xa0\x80", "," * 900, "en;q=\xd9\xa1", "9" * 900, "bytes=9-1,-", '"\\', "..", "=;=;",
    "[::1", "a b c", "{" * 900,
)  # fmt: skip


@pytest.mark.parametrize("value", IN_HEADERS, ids=range(len(IN_HEADERS)))
async def test_every_header_may_hold_anything(world: World, value: str) -> None:
    ada = await administrator(world)
    paths = cycle(("/", "/login", "/@ada", "/static/app.css", "/settings/appearance"))
    for name in HEADERS:
        await answered(await ada.client.get(next(paths), headers={name: value}), name)
        await answered(await ada.submit("/posts", {name: value}, body="x"), name)
    for name in COOKIES:
        visitor = world.visitor()
        visitor.set_cookie("localhost", name, value)
        for path in ("/", "/register"):
            await answered(await visitor.get(path), name, path)
        await answered(await visitor.post("/login", form={"login": "a"}), name)
