from __future__ import annotations

import pytest

from microblog.kernel.model import Session
from microblog.notifications.queries import KINDS
from microblog.notifications.unsubscribe import Unsubscription, asked_by, token
from tests.world import World

KEY, OTHER = b"k" * 32, b"o" * 32


async def asked(world: World, written: str, *keys: bytes) -> Unsubscription | None:
    session: Session
    async with world.db.reading() as session:
        return await asked_by(session, keys or (KEY,), written)


async def test_a_token_names_one_account_one_kind_and_one_address(world: World) -> None:
    susan = await world.person("susan")
    made = token(KEY, susan.id, "reply", "susan@example.org")

    found = await asked(world, made)

    assert found == Unsubscription(susan.id, "reply", "susan@example.org")
    assert found.kinds == ("reply",)


async def test_the_token_of_a_digest_stops_every_kind(world: World) -> None:
    susan = await world.person("susan")
    found = await asked(world, token(KEY, susan.id, "digest", "susan@example.org"))

    assert found is not None
    assert found.kinds == KINDS


async def test_a_token_survives_the_rotation_of_the_key_and_no_other_key_opens_it(
    world: World,
) -> None:
    susan = await world.person("susan")
    made = token(OTHER, susan.id, "reply", "susan@example.org")

    assert await asked(world, made) is None
    assert await asked(world, made, KEY, OTHER) is not None


async def test_a_token_dies_with_its_address(world: World) -> None:
    susan = await world.person("susan", email="new@example.org")

    assert await asked(world, token(KEY, susan.id, "reply", "old@example.org")) is None


@pytest.mark.parametrize("change", ["account", "kind", "signature", "length"])
async def test_a_changed_token_opens_nothing(world: World, change: str) -> None:
    susan, david = await world.person("susan"), await world.person("david")
    made = token(KEY, susan.id, "reply", "susan@example.org")
    changed = {
        "account": made.replace(f"{susan.id}-", f"{david.id}-", 1),
        "kind": made.replace("reply", "follow"),
        "signature": made[:-1] + ("0" if made[-1] != "0" else "1"),
        "length": made[:-1],
    }[change]

    assert await asked(world, changed) is None


@pytest.mark.parametrize(
    "written",
    ["", "x", "1-reply-", "\u0661-reply-" + "0" * 40, "9" * 30 + "-reply-" + "0" * 40,
     "1-REPLY-" + "0" * 40, "1-reply-" + "0" * 40 + "\n", "\ud800", "1-secret-" + "0" * 40],
)  # fmt: skip
async def test_garbage_is_no_token(world: World, written: str) -> None:
    await world.person("susan")
    assert await asked(world, written) is None
