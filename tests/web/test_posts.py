from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from quart import Response

from microblog.app import create_app
from microblog.settings import Settings
from tests.world import Person, World, new_key

JSON = {"Accept": "application/json"}


@pytest.fixture
async def strict(settings: Settings) -> AsyncIterator[World]:
    """A world where limits hold."""
    app = create_app(replace(settings, limits="default"))
    async with app.test_app():
        yield World(app)


async def text_of(answer: Response) -> str:
    return await answer.get_data(as_text=True)


async def facts(answer: Response) -> dict[str, Any]:
    return json.loads(await text_of(answer))


async def publish(person: Person, body: str, headers: Any = None, **fields: str) -> Response:
    fields.setdefault("idempotency_key", new_key())
    return await person.submit("/posts", headers, body=body, **fields)


def key_in(page: str) -> str:
    return re.findall(r'name="idempotency_key" value="([^"]+)"', page)[-1]


async def test_a_post_is_published_and_shown_at_its_address(world: World) -> None:
    ada = await world.person("Ada")
    answer = await publish(ada, "hello **world** <b>")
    assert answer.status_code == 303
    path = answer.headers["Location"]
    assert re.fullmatch(r"/@Ada/\d+", path)
    page = await ada.page(path)
    assert "hello **world** &lt;b&gt;" in page
    assert f'<article id="post-{path.rsplit("/", 1)[1]}"' in page


async def test_a_script_gets_the_post_as_it_is_drawn_everywhere(world: World) -> None:
    ada = await world.person("ada")
    answer = await publish(ada, "hello", JSON)
    assert answer.status_code == 201
    told = await facts(answer)
    assert told["url"] == f"/@ada/{told['id']}"
    assert told["html"].startswith(f'<article id="post-{told["id"]}"')
    assert re.fullmatch(r"[0-9a-f]+\.\d+", told["position"])
    assert told["html"] in await ada.page("/")


async def test_a_repeated_form_answers_with_the_first_post(world: World) -> None:
    ada = await world.person("ada")
    key = new_key()
    first = await publish(ada, "once", idempotency_key=key)
    again = await publish(ada, "once", idempotency_key=key)
    assert (again.status_code, again.headers["Location"]) == (303, first.headers["Location"])
    scripted = await publish(ada, "once", JSON, idempotency_key=key)
    assert (await facts(scripted))["url"] == first.headers["Location"]


async def test_another_text_under_the_same_key_is_refused_kept_and_given_a_fresh_key(
    world: World,
) -> None:
    ada = await world.person("ada")
    key = new_key()
    await publish(ada, "once", idempotency_key=key)
    answer = await publish(ada, "something else", idempotency_key=key)
    assert answer.status_code == 422
    page = await text_of(answer)
    assert "something else</textarea>" in page
    assert "You sent this form before, with another text." in page
    assert key_in(page) != key
    second = await publish(ada, "something else", idempotency_key=key_in(page))
    assert second.status_code == 303


@pytest.mark.parametrize("body", ["", "   \n", "\u200b", "x" * 501, "🇨🇺" * 3000, "é" * 9000])
async def test_a_refused_text_comes_back_as_typed(world: World, body: str) -> None:
    ada = await world.person("ada")
    answer = await publish(ada, body)
    assert answer.status_code == 422
    page = await text_of(answer)
    kept = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert kept
    assert unescape(kept[1]) == body
    assert 'aria-invalid="true"' in page


async def test_a_script_is_told_which_field_was_refused(world: World) -> None:
    ada = await world.person("ada")
    answer = await publish(ada, "x" * 503, JSON)
    assert answer.status_code == 422
    told = await facts(answer)
    assert set(told) == {"error", "fields", "id"}
    assert told["fields"]["body"] == told["error"]
    assert "3" in told["error"]


async def test_a_reply_joins_the_conversation(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    root = await ada.posts("root")
    form = await bob.page(f"/posts/new?in_reply_to={root}")
    assert f'name="in_reply_to" value="{root}"' in form
    assert "@ada </textarea>" in form
    answer = await publish(bob, "@ada answer", in_reply_to=str(root))
    page = await bob.page(answer.headers["Location"])
    assert page.index(f'id="post-{root}"') < page.index("answer</div>")


async def test_one_does_not_greet_oneself(world: World) -> None:
    ada = await world.person("ada")
    root = await ada.posts("root")
    assert "@ada </textarea>" not in await ada.page(f"/posts/new?in_reply_to={root}")


@pytest.mark.parametrize("parent", ["1", "0", "-1", "x", "9" * 30, "%D9%A3", "1.5", "%201"])
async def test_an_answer_to_nothing_is_refused_with_its_text_kept(
    world: World, parent: str
) -> None:
    ada = await world.person("ada")
    answer = await publish(ada, "my answer", in_reply_to=parent)
    assert answer.status_code == 422
    page = await text_of(answer)
    assert "my answer</textarea>" in page
    assert 'name="in_reply_to"' not in page.split('id="compose"')[0]
    assert (await ada.get(f"/posts/new?in_reply_to={parent}")).status_code == 404


async def test_an_answer_to_a_deleted_post_is_refused(world: World) -> None:
    ada = await world.person("ada")
    root = await ada.posts("root")
    await ada.deletes(root)
    answer = await publish(ada, "my answer", in_reply_to=str(root))
    assert answer.status_code == 422
    assert "my answer</textarea>" in await text_of(answer)
    assert (await ada.get(f"/posts/new?in_reply_to={root}")).status_code == 404


async def test_the_composer_can_be_filled_by_a_link(world: World) -> None:
    ada = await world.person("ada")
    page = await ada.page("/posts/new?body=%23tag+%3Cscript%3E")
    assert "#tag &lt;script&gt;</textarea>" in page


async def test_only_listed_fields_are_taken(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    answer = await publish(
        ada, "mine", author_id=str(bob.id), id="5", created_at="2000-01-01", version="9"
    )
    path = answer.headers["Location"]
    assert path.startswith("/@ada/")
    assert path != "/@ada/5"
    assert "post-edited" not in await ada.page(path)


async def test_an_edit_is_shown_with_its_history(world: World) -> None:
    ada = await world.person("ada")
    post = await ada.posts("hello world")
    assert "hello world</textarea>" in await ada.page(f"/posts/{post}/edit")
    answer = await ada.submit(f"/posts/{post}/edit", body="hello worlds")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/@ada/{post}")
    page = await world.visitor().get(f"/@ada/{post}/history")
    history = await text_of(page)
    assert "<del>world</del><ins>worlds</ins>" in history
    scripted = await ada.submit(f"/posts/{post}/edit", JSON, body="third")
    assert scripted.status_code == 200
    assert "third" in (await facts(scripted))["html"]


async def test_a_refused_edit_comes_back_as_typed(world: World) -> None:
    ada = await world.person("ada")
    post = await ada.posts("hello")
    answer = await ada.submit(f"/posts/{post}/edit", body="y" * 501)
    assert answer.status_code == 422
    page = await text_of(answer)
    assert f'action="/posts/{post}/edit"' in page
    assert "y" * 501 in page


async def test_deleting_asks_first_and_then_leaves_nothing(world: World) -> None:
    ada = await world.person("ada")
    post = await ada.posts("secret words #tag")
    assert "secret words" in await ada.page(f"/posts/{post}/delete")
    assert "secret words" in await ada.page(f"/@ada/{post}")
    answer = await ada.submit(f"/posts/{post}/delete")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/@ada")
    for path in ("/", "/@ada", "/explore", "/tags/tag"):
        assert "secret words" not in await ada.page(path)
    gone = await ada.get(f"/@ada/{post}")
    assert gone.status_code == 404
    assert "secret words" not in await text_of(gone)
    assert (await ada.get(f"/@ada/{post}/history")).status_code == 404
    assert (await ada.get(f"/posts/{post}/edit")).status_code == 404
    again = await ada.submit(f"/posts/{post}/delete", JSON)
    assert again.status_code == 200


FORMS = ["/posts/{}/edit", "/posts/{}/delete"]


@pytest.mark.parametrize("path", FORMS)
async def test_somebody_elses_post_and_no_post_answer_alike(world: World, path: str) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    post = await ada.posts("mine")
    pages = set()
    for target in (post, 1, 2**63 - 1):
        shown, sent = (
            await eve.get(path.format(target)),
            await eve.submit(path.format(target), JSON, body="yours"),
        )
        assert (shown.status_code, sent.status_code) == (404, 404)
        pages.add((await facts(sent))["error"])
    assert len(pages) == 1
    assert "mine" in await ada.page(f"/@ada/{post}")


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("bad", ["x", "0", "-1", "9" * 19, "9" * 40, "1.0", "٣", "%00", "1 or 1=1"])
async def test_what_is_no_id_is_not_found(world: World, path: str, bad: str) -> None:
    ada = await world.person("ada")
    assert (await ada.get(path.format(bad))).status_code == 404
    assert (await ada.submit(path.format(bad), body="x")).status_code == 404


@pytest.mark.parametrize("path", ["/posts", "/posts/1/edit", "/posts/1/delete"])
async def test_writing_needs_a_signed_in_person_and_their_token(world: World, path: str) -> None:
    ada = await world.person("ada")
    before = await ada.posts("only this")
    assert (await ada.client.post(path, form={"body": "forged"})).status_code == 403
    visitor = await world.visitor().post(path, form={"body": "forged"}, headers=JSON)
    assert visitor.status_code in (401, 403)
    assert (await ada.page("/")).count("<article id=") == 1
    assert f'id="post-{before}"' in await ada.page("/")


async def test_visitors_are_asked_to_sign_in_before_writing(world: World) -> None:
    answer = await world.visitor().get("/posts/new?body=hi")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=/posts/new")


async def test_thirty_posts_in_five_minutes_are_enough_and_the_next_text_is_kept(
    strict: World,
) -> None:
    ada, bob = await strict.person("ada"), await strict.person("bob")
    for n in range(30):
        assert (await publish(ada, f"post {n}")).status_code == 303
    refused = await publish(ada, "one too many")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert "one too many</textarea>" in await text_of(refused)
    assert (await publish(ada, "again", JSON)).status_code == 429
    assert (await publish(bob, "not bob's fault")).status_code == 303
