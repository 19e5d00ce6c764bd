from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from microblog.accounts.model import Account
from microblog.kernel.clock import now
from microblog.mail.letters import Cancelled, Letter
from microblog.mail.outbox import Email
from microblog.notifications import actions
from microblog.notifications.emails import composers
from tests.notifications.conftest import Told
from tests.world import Person, World

BASE = "http://localhost"


@pytest.fixture
def compose(world: World) -> Any:
    """Compose what waits in the outbox: one letter, or all of it as a digest."""
    writers = composers(BASE, world.site.unsubscribe_key)

    async def write(kind: str | None = None) -> Letter | Cancelled:
        for consumer in world.machinery.consumers:
            await consumer.catch_up(world.db)
        async with world.db.writing() as session:
            emails = list(await session.scalars(select(Email).order_by(Email.id)))
            payloads = [{**email.payload, "kind": email.kind} for email in emails]
            return await writers[kind or emails[-1].kind](
                session, payloads if kind else payloads[-1:]
            )

    return write


async def change(world: World, person: Person, **values: Any) -> None:
    async with world.db.writing() as session:
        await session.execute(update(Account).where(Account.id == person.id).values(**values))


async def test_a_mention_is_told_with_its_words_and_a_way_to_stop(
    world: World, compose: Any
) -> None:
    await world.person("susan")
    david = await world.person("david")
    post = await david.posts("Hello @susan")

    letter = await compose()

    assert isinstance(letter, Letter)
    assert (letter.template, letter.to, letter.language) == ("mention", "susan@example.org", "en")
    assert letter.context["post"] == {"body": "Hello @susan", "url": f"{BASE}/@david/{post}"}
    assert letter.context["actor"]["url"] == f"{BASE}/@david"
    assert letter.unsubscribe == letter.context["unsubscribe_url"]
    assert letter.unsubscribe.startswith(f"{BASE}/u/")
    assert letter.thread == f"thread-{post}"


async def test_a_reply_brings_what_it_answers_and_stays_in_its_thread(
    world: World, compose: Any
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await david.posts("The beginning")
    question = await susan.posts("A question", in_reply_to=first)
    await david.posts("An answer", in_reply_to=question)

    letter = await compose()

    assert letter.context["parent"] == {"body": "A question", "url": f"{BASE}/@susan/{question}"}
    assert letter.thread == f"thread-{first}"


async def test_a_follow_says_who_in_the_language_of_its_reader(world: World, compose: Any) -> None:
    susan = await world.person("susan", language="es")
    david = await world.person("david")
    await change(world, david, bio="Plays the tuba.", display_name="David H.")
    await david.follows(susan)

    letter = await compose()

    assert (letter.template, letter.language, letter.thread) == ("follow", "es", None)
    assert letter.context["actor"]["display_name"] == "David H."
    assert letter.context["actor"]["bio"] == "Plays the tuba."


async def test_what_was_seen_on_screen_is_not_mailed(world: World, compose: Any) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    async with world.db.writing() as session:
        await actions.see(session, susan.id, [post], [])

    assert await compose() == Cancelled("seen")


async def test_a_notification_that_was_read_is_not_mailed(
    world: World, told: Told, compose: Any
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await told(susan)
    async with world.db.writing() as session:
        await actions.read_all(session, susan.id)

    assert await compose() == Cancelled("seen")


async def test_what_is_gone_is_not_mailed(world: World, told: Told, compose: Any) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    await told(susan)
    await david.deletes(post)

    assert await compose() == Cancelled("gone")


async def test_a_post_deleted_a_moment_ago_is_gone_before_the_consumer_knows(
    world: World, told: Told
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    (news,) = await told(susan)
    await david.deletes(post)
    payload = {"account_id": susan.id, "notification_id": news.id, "kind": "mention"}

    async with world.db.writing() as session:
        writers = composers(BASE, b"key")
        assert await writers["mention"](session, [payload]) == Cancelled("gone")


async def test_a_mention_that_was_edited_away_is_not_mailed(
    world: World, told: Told, compose: Any
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    post = await david.posts("Hello @susan")
    await told(susan)
    await david.edits(post, "Hello")

    assert await compose() == Cancelled("gone")


async def test_an_answer_to_a_post_since_deleted_is_not_mailed(
    world: World, told: Told, compose: Any
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    first = await susan.posts("A question")
    await david.posts("An answer", in_reply_to=first)
    await told(susan)
    await susan.deletes(first)

    assert await compose() == Cancelled("gone")


async def test_a_follow_taken_back_is_not_mailed(world: World, told: Told) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    (news,) = await told(susan)
    await david.unfollows(susan)
    payload = {"account_id": susan.id, "notification_id": news.id, "kind": "follow"}

    async with world.db.writing() as session:
        writers = composers(BASE, b"key")
        assert await writers["follow"](session, [payload]) == Cancelled("unfollowed")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"email": None, "email_key": None}, "no address"),
        ({"suspended_at": now()}, "gone"),
        ({"mail_refusals": 3}, "bouncing"),
    ],
)
async def test_people_who_get_no_mail_get_none(
    world: World, told: Told, compose: Any, values: dict[str, Any], reason: str
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.posts("Hello @susan")
    await told(susan)
    await change(world, susan, **values)

    assert await compose() == Cancelled(reason)


async def test_a_kind_muted_within_the_hold_time_is_not_mailed(
    world: World, told: Told, compose: Any
) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.posts("Hello @susan")
    await told(susan)
    async with world.db.writing() as session:
        await actions.mute_mail(session, susan.id, "mention")

    assert await compose() == Cancelled("muted")


async def test_a_digest_tells_what_is_still_due(world: World, told: Told, compose: Any) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    gone = await david.posts("@susan never mind")
    kept = await david.posts("@susan do mind")
    await david.follows(susan)
    await told(susan)
    await david.deletes(gone)

    letter = await compose("digest")

    assert letter.template == "digest"
    assert [item["kind"] for item in letter.context["items"]] == ["mention", "follow"]
    assert letter.context["items"][0]["post"]["url"] == f"{BASE}/@david/{kept}"
    assert letter.context["url"] == f"{BASE}/notifications"
    assert "-digest-" in letter.unsubscribe


async def test_a_digest_of_nothing_is_cancelled(world: World, told: Told, compose: Any) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    await david.follows(susan)
    await told(susan)
    async with world.db.writing() as session:
        await actions.read_all(session, susan.id)

    assert await compose("digest") == Cancelled("seen")


@pytest.mark.parametrize("language", ["en", "es"])
async def test_each_kind_leaves_as_a_whole_letter(world: World, language: str) -> None:
    susan = await world.person("susan", language=language)
    david = await world.person("david")
    first = await susan.posts("A question")
    await david.follows(susan)
    await david.posts("Hello @susan")
    await david.posts("An answer, *truly* <b>", in_reply_to=first)

    await world.settle()

    letters = await world.letters()
    assert [letter.kind for letter in letters] == ["follow", "mention", "reply"]
    for letter in letters:
        headers = dict(letter.headers)
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert headers["List-Unsubscribe"].strip("<>").split("/u/")[1] in letter.text
        assert "<b>" not in letter.html
