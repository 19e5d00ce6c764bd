"""Posts are drawn once, and say their age anew each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from jinja2 import Environment
from markupsafe import Markup

from microblog.accounts.queries import PersonCard
from microblog.kernel import clock, i18n
from microblog.posts.queries import PostView
from microblog.web import rendering
from microblog.web.rendering import environment, fragment, in_language

POST = PostView(
    1, PersonCard(1, "susan", "Susan", ""), "Hello", Markup("<p>Hello</p>"),
    clock.now() - timedelta(hours=5), None, 1, False, None, None, 1, 0,
)  # fmt: skip


def test_a_kept_post_grows_older(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    assert ">5 hours ago<" in fragment(POST)
    monkeypatch.setattr("microblog.web.rendering.clock.now", lambda: now + timedelta(hours=3))
    assert ">8 hours ago<" in fragment(POST)
    assert rendering._around_age(POST, "en", "") is rendering._around_age(replace(POST), "en", "")


def test_a_fragment_is_what_the_template_says_and_nothing_of_it_is_escaped_twice() -> None:
    plain = environment("en").get_template("posts/_post.html").render(post=POST)
    assert fragment(POST) == plain
    assert "<p>Hello</p>" in fragment(POST)


def test_each_language_has_its_own() -> None:
    for _ in range(2):  # drawn, and kept
        with in_language("es"):
            assert "hace 5 horas" in fragment(POST)
            assert "Responder a Susan" in fragment(POST)
        assert "hace" not in fragment(POST)
        assert "Reply to Susan" in fragment(POST)


async def test_what_is_warmed_is_never_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    await rendering.warm()
    monkeypatch.delattr(Environment, "compile")
    for language in i18n.LANGUAGES:
        templates = environment(language)
        pages = templates.list_templates(["html"])
        asked = [templates.get_template(page) for page in pages if not page.startswith("mail/")]
        assert len(asked) > 40
