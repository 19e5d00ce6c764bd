"""What the letters look like, and what nobody can make them say."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import cache
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from microblog.mail.addresses import Mailbox, is_address, mail_domain, sender_mailbox
from microblog.mail.letters import Letter
from microblog.mail.render import Renderer

from .conftest import BASE_URL, SENDER, TEMPLATES

ADA = {
    "name": "ada",
    "display_name": "Ada Lovelace",
    "bio": "Poetical science.",
    "url": f"{BASE_URL}/@ada",
}
POST = {"body": "Hello @susan <3\n\nSee note G. 🛠️", "url": f"{BASE_URL}/@ada/7"}
PARENT = {"body": "Who will program it?", "url": f"{BASE_URL}/@susan/6"}
STOP = f"{BASE_URL}/u/" + "k" * 120

IDENTITY = {
    "settings_url": f"{BASE_URL}/settings/identities",
    "provider": "GitHub",
    "shown": "susan",
    "at": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
}

CONTEXTS = {
    "confirm": {"url": f"{BASE_URL}/confirm/t", "hours": 24, "applies": False},
    "already_registered": {
        "login_url": f"{BASE_URL}/login",
        "reset_url": f"{BASE_URL}/password/forgot",
    },
    "password_reset": {
        "url": f"{BASE_URL}/password/reset/t",
        "minutes": 30,
        "has_password": True,
    },
    "password_changed": {
        "reset_url": f"{BASE_URL}/password/forgot",
        "at": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
    },
    "email_change": {"url": f"{BASE_URL}/email/confirm/t"},
    "email_changed": {
        "url": f"{BASE_URL}/email/undo/t",
        "at": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
        "email": "susan@example.net",
        "days": 7,
    },
    "email_taken": {"login_url": f"{BASE_URL}/login"},
    "new_device": {
        "url": f"{BASE_URL}/not-me/t",
        "at": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
        "browser": "Firefox",
        "system": "Linux",
    },
    "two_factor": {
        "headline": "Two-factor sign-in was turned on",
        "reset_url": f"{BASE_URL}/password/forgot",
        "at": datetime(2026, 11, 22, 10, 5, tzinfo=UTC),
    },
    "proof": {"code": "ABCD-EFGH"},
    "identity_linked": IDENTITY,
    "identity_unlinked": IDENTITY,
    "archive": {
        "url": f"{BASE_URL}/settings/export",
        "until": datetime(2026, 11, 23, 10, 5, tzinfo=UTC),
    },
    "departure": {
        "url": f"{BASE_URL}/leave/undo/t",
        "due_at": datetime(2026, 11, 29, 10, 5, tzinfo=UTC),
    },
    "moderated": {
        "act": "suspend",
        "reason": "Insults in three threads.",
        "body": "",
        "role": "member",
        "until": datetime(2026, 11, 29, 10, 5, tzinfo=UTC),
        "appeal_url": f"{BASE_URL}/appeals/1-t",
    },
    "application_approved": {"asked": "ada", "name": "ada2", "login_url": f"{BASE_URL}/login"},
    "application_declined": {"answer": "This is for our street.\nSorry.", "days": 60},
    "report_closed": {"about": "ada", "acted": True},
    "appeal_decided": {"granted": True, "act": "suspend", "home_url": f"{BASE_URL}/"},
    "follow": {"actor": ADA},
    "request": {"actor": ADA},
    "accept": {"actor": ADA},
    "mention": {"actor": ADA, "post": POST},
    "reply": {"actor": ADA, "post": POST, "parent": PARENT},
    "digest": {
        "items": [
            {"kind": "mention", "actor": ADA, "post": POST},
            {"kind": "reply", "actor": ADA, "post": PARENT},
            {"kind": "follow", "actor": ADA, "post": None},
            {"kind": "request", "actor": ADA, "post": None},
            {"kind": "accept", "actor": ADA, "post": None},
        ],
        "url": f"{BASE_URL}/notifications",
    },
}
STOPPABLE = ("follow", "request", "accept", "mention", "reply", "digest")

render = Renderer(
    TEMPLATES, site_name="Microblog", base_url=BASE_URL, sender=SENDER, with_passwords=True
)


def written(kind: str, language: str = "en", to: str = "susan@example.org", **changes):
    stop = STOP if kind in STOPPABLE else None
    context = {"name": "Susan", **CONTEXTS[kind], **changes}
    letter = Letter(kind, to, language, context, stop, "thread-7" if stop else None, "news")
    return message_from_bytes(render(letter, "a" * 32), policy=policy.default)


@cache
def headers_of(kind: str) -> set[str]:
    return set(written(kind).keys())


def text_of(message) -> str:
    return message.get_body(("plain",)).get_content()


def html_of(message) -> str:
    return message.get_body(("html",)).get_content()


def test_every_kind_of_mail_is_tried_here():
    assert render.kinds == sorted(CONTEXTS)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", CONTEXTS)
def test_every_kind_has_subject_text_and_html(kind, language):
    message = written(kind, language)

    assert message["Subject"].strip()
    assert message.get_content_type() == "multipart/alternative"
    text, html = text_of(message), html_of(message)
    assert f"{BASE_URL}/" in text
    assert html.startswith("<!doctype html>")
    assert f'<html lang="{language}">' in html
    assert "prefers-color-scheme: dark" in html
    assert not any(sign in text + message["Subject"] for sign in ("<p", "&#", "{{", "%("))
    assert not any(leak in html for leak in ("<img", "<script", "src=", "url(", "@import"))


@pytest.mark.parametrize("kind", CONTEXTS)
def test_headers_are_complete(kind):
    message = written(kind)

    assert message["From"] == '"Microblog" <hello@social.example>' or message["From"].addresses
    assert str(message["From"].addresses[0].addr_spec) == "hello@social.example"
    assert message["To"] == "susan@example.org"
    assert message["Message-ID"] == "<" + "a" * 32 + "@social.example>"
    assert (datetime.now(UTC) - message["Date"].datetime).total_seconds() < 5
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    stoppable = kind in STOPPABLE
    assert ("List-Unsubscribe" in message) is stoppable
    assert ("List-Unsubscribe-Post" in message) is stoppable
    assert ("In-Reply-To" in message) is stoppable
    assert all(not part.defects for part in message.walk())


def test_one_click_headers_are_on_one_line_as_written():
    letter = Letter("mention", "s@example.org", "en", {"name": "S", **CONTEXTS["mention"]}, STOP)
    head = render(letter, "a" * 32).partition(b"\r\n\r\n")[0].decode().split("\r\n")

    assert f"List-Unsubscribe: <{STOP}>" in head
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head


def test_a_thread_groups():
    message = written("reply")
    assert message["In-Reply-To"] == message["References"] == "<thread-7@social.example>"
    assert message["List-Id"] == "<news.social.example>"


def test_the_words_come_first_and_how_to_stop_them_last():
    message = written("mention")
    text = text_of(message)
    lines = text.splitlines()

    assert lines[0] == "Ada Lovelace (@ada) mentioned you:"
    assert lines[2:5] == ["> Hello @susan <3", ">", "> See note G. 🛠️"]
    assert text.index("Open the conversation: ") > text.index("See note G")
    assert text.index(STOP) > text.index("Open the conversation")
    assert "You get this because somebody mentioned you" in text
    html = html_of(message)
    assert "Hello @susan &lt;3<br><br>See note G." in html
    assert html.count('class="button"') == 1
    assert f'href="{STOP}"' in html


def test_a_reply_shows_what_it_answers():
    message = written("reply")
    assert "Your post: Who will program it?" in text_of(message)
    assert "Who will program it?" in html_of(message)
    assert message["Subject"].startswith("Ada Lovelace replied: Hello @susan")


def test_a_digest_tells_everything():
    message = written("digest")
    for body in (text_of(message), html_of(message)):
        assert all(words in body for words in ("See note G", "Who will program it?", "follows you"))
        assert all(words in body for words in ("asks to follow you", "lets you follow them"))
    assert message["Subject"] == "5 notifications from Microblog"


def test_numbers_have_their_plural():
    assert "for 1 hour." in text_of(written("confirm", hours=1))
    assert "for 24 hours." in text_of(written("confirm", hours=24))


def test_moments_are_written_in_the_reader_s_zone():
    assert "November 22, 2026, 10:05" in text_of(written("password_changed"))
    there = text_of(written("password_changed", time_zone="Europe/Madrid"))
    assert "11:05" in there
    assert "CET" in there
    assert "10:05" in text_of(written("password_changed", time_zone="Mars/Olympus"))


HOSTILE = [
    "a\r\nBcc: victim@example.org",
    "a\nBcc: victim@example.org\n\nforged body",
    "a\x00\x0bBcc: x",
    "=?utf-8?q?a=0D=0ABcc=3A_victim=40example.org?=",
    "=?utf-8?b?YQ0KQmNjOiB2aWN0aW1AZXhhbXBsZS5vcmc=?= ü",
    '"Admin" <admin@social.example>',
    "a\u2028Bcc: x\u2029Cc: y\x85To: z",
    "\u202eeve\u202c <b>bold</b> & {{ site_name }} %(name)s %s",
    "\ud800 lone",
    "x" * 5000,
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿" * 300,
    "",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("kind", CONTEXTS)
def test_no_name_or_post_can_add_a_header_or_markup(kind, name):
    actor = {**ADA, "display_name": name, "bio": name}
    post = {**POST, "body": name}
    item = {"kind": "mention", "actor": actor, "post": post}
    known = {"actor": actor, "post": post, "parent": post, "items": [item], "name": name}
    message = written(kind, **known)

    allowed = headers_of(kind)
    assert set(message.keys()) == allowed
    assert len(message.keys()) == len(allowed)
    assert [each.addr_spec for each in message["To"].addresses] == ["susan@example.org"]
    assert len(message["From"].addresses) == 1
    assert "\n" not in message["Subject"]
    assert len(list(message.iter_parts())) == 2
    assert "<b>bold" not in html_of(message)
    assert "\u202e" not in message["Subject"]


def test_what_looks_like_an_encoded_word_is_shown_as_typed():
    name = "=?utf-8?q?admin?="
    message = written("follow", actor={**ADA, "display_name": name})
    assert message["Subject"] == f"{name} follows you"


def test_every_line_of_a_message_is_short_and_plain_ascii():
    body = "🛠️ ünïcode " * 60 + "w" * 3000
    letter = Letter("mention", "s@example.org", "en",
                    {"name": "S", "actor": ADA, "post": {**POST, "body": body}}, STOP)  # fmt: skip
    raw = render(letter, "a" * 32)

    assert raw.isascii()
    head, _, rest = raw.partition(b"\r\n\r\n")
    assert max(map(len, rest.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 200
    message = message_from_bytes(raw, policy=policy.default)
    assert "w" * 3000 in text_of(message)
    assert message["Subject"].startswith("Ada Lovelace mentioned you: 🛠️ ünïcode")
    assert not message["Subject"].defects


def test_what_a_template_is_not_told_is_an_error():
    letter = Letter("mention", "susan@example.org", "en", {"name": "S", "actor": ADA})
    with pytest.raises(UndefinedError, match="post"):
        render(letter, "a" * 32)


@pytest.mark.parametrize(
    "to",
    ["", "a", "a@b@c", "a b@c.example", "a@b.example,c@d.example", "a@b.example)x@evil.example",
     "<a@b.example>", '"a b"@c.example', "a%b@c.example", "ü@c.example", "a@.example",
     "a@-b.example",
     "a..b@c.example", ".a@c.example", "a@b.example\n", "a@[127.0.0.1]", "x" * 65 + "@c.example",
     "a@" + "b." * 125 + "example"],
    ids=ascii,
)  # fmt: skip
def test_no_mail_to_a_doubtful_address(to):
    assert not is_address(to)
    with pytest.raises(ValueError, match="shape"):
        written("confirm", to=to)


@pytest.mark.parametrize(
    "to", ["a@b.example", "first.last+tag@sub.b-c.example", "o'hara@x.co", "a@localhost"]
)
def test_mail_to_every_ordinary_address(to):
    assert written("confirm", to=to)["To"] == to


def test_the_sender_is_what_the_setting_says():
    assert sender_mailbox("a@b.example", "Site") == Mailbox("Site", "a@b.example")
    assert sender_mailbox("My Place <a@b.example>", "Site") == Mailbox("My Place", "a@b.example")
    assert sender_mailbox("microblog@::1", "Site").address == "microblog@localhost"
    assert mail_domain("::1") == "localhost"
    with pytest.raises(ValueError, match="MICROBLOG_MAIL_FROM"):
        sender_mailbox("nobody", "Site")


@pytest.mark.parametrize(
    "name", ["Ünser Platz 🏡", 'The "Best" \\ Place', "x" * 300, "=?utf-8?q?x?="]
)
def test_the_site_s_name_is_written_as_it_is(name):
    here = Renderer(
        TEMPLATES,
        site_name=name,
        base_url=BASE_URL,
        sender=Mailbox(name, "a@b.example"),
        with_passwords=True,
    )
    letter = Letter("confirm", "s@example.org", "en", {"name": "S", **CONTEXTS["confirm"]})
    message = message_from_bytes(here(letter, "a" * 32), policy=policy.default)
    assert message["From"].addresses[0].display_name == name
    assert message["From"].addresses[0].addr_spec == "a@b.example"


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("departure", {}),
        ("email_changed", {}),
        ("moderated", {"act": "end_sessions"}),
        ("moderated", {"act": "reset_two_factor"}),
        ("new_device", {}),
        ("two_factor", {}),
    ],
)
def test_where_nobody_has_a_password_no_mail_speaks_of_one(kind, changes):
    here = Renderer(
        TEMPLATES, site_name="Here", base_url=BASE_URL, sender=SENDER, with_passwords=False
    )
    letter = Letter(kind, "s@example.org", "en", {"name": "S", **CONTEXTS[kind], **changes})
    message = message_from_bytes(here(letter, "a" * 32), policy=policy.default)
    for said in (text_of(message), html_of(message)):
        assert "password" not in said
        assert "If it was not you" in said or "you do not know why" in said or "did not ask" in said


def test_who_has_no_password_is_not_told_that_it_stays():
    assert "your password stays as it is" in text_of(written("password_reset"))
    without = written("password_reset", has_password=False)
    for said in (text_of(without), html_of(without)):
        assert "stays as it is" not in said
        assert "no password opens it" in said


def test_templates_have_no_other_place_for_a_stranger_s_words():
    for template in Path(TEMPLATES, "mail").rglob("*.html"):
        source = template.read_text()
        assert "|safe" not in source
        assert "autoescape false" not in source
