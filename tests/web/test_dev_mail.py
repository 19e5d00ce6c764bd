"""Kept mails can hold reset links: this machine only, and never through a proxy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from microblog.app import create_app
from microblog.kernel import clock
from microblog.mail.outbox import Email
from microblog.settings import Settings
from tests.world import World


async def test_mails_are_listed_and_read_in_text_html_and_json(world: World) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.posts("good morning @susan")
    await world.settle()
    assert "david" in await susan.page("/dev/mail")
    answer = await world.visitor().get("/dev/mail", headers={"Accept": "application/json"})
    (mail,) = await answer.get_json()
    assert mail["to"] == "susan@example.org"
    assert mail["state"] == "sent"
    page = await susan.page(f"/dev/mail/{mail['id']}")
    assert "good morning" in page
    html = await susan.get(f"/dev/mail/{mail['id']}/html")
    assert "sandbox" in html.headers["Content-Security-Policy"]


async def test_what_waits_for_its_words_leads_nowhere(world: World) -> None:
    susan = await world.person("susan")
    async with world.db.writing() as session:
        later = clock.now() + timedelta(hours=1)
        waiting = {"payload": {}, "message_id": "x", "due_at": later, "give_up_at": later}
        session.add(Email(kind="left behind", created_at=clock.now(), **waiting))
    page = await susan.page("/dev/mail")
    assert "Not written yet" in page
    assert "None" not in page
    assert 'href="/dev/mail/' not in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Forwarded": "for=1.2.3.4"},
        {"X-Forwarded-For": "1.2.3.4"},
        {"X-Forwarded-Prefix": "/x"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "1.2.3.4"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_proxy_or_a_foreign_page_sees_nothing(
    world: World, headers: dict[str, str]
) -> None:
    client = world.visitor()
    assert (await client.get("/dev/mail")).status_code == 200
    assert (await client.get("/dev/mail", headers=headers)).status_code == 404


async def test_another_host_name_sees_nothing(world: World) -> None:
    answer = await world.visitor().get("/dev/mail", headers={"Host": "mail.example.org"})
    assert answer.status_code in (400, 404)


async def test_a_served_site_has_no_such_page(settings: Settings) -> None:
    app = create_app(replace(settings, mode="serve"))
    async with app.test_app():
        assert (await app.test_client().get("/dev/mail")).status_code == 404
