from __future__ import annotations

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from microblog.kernel.errors import Invalid, TooMany
from microblog.signin import passwords


async def test_a_password_matches_itself_only() -> None:
    stored = await passwords.hashed("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.matches(stored, "correct horse")
    for other in ("Correct horse", "correct horse ", "", "correct hors", "\ud800"):
        assert not await passwords.matches(stored, other)


async def test_every_byte_counts() -> None:
    """No cut at 72 bytes, no normalisation: é in one or in two code points differs."""
    long = "x" * 1000
    stored = await passwords.hashed(long + "1")
    assert not await passwords.matches(stored, long + "2")
    composed = await passwords.hashed("caf\u00e9 au lait")
    assert not await passwords.matches(composed, "cafe\u0301 au lait")
    assert await passwords.matches(await passwords.hashed("\ud800\x00 odd"), "\ud800\x00 odd")


@pytest.mark.parametrize("stored", [None, "", "$argon2id$broken", "plain"])
async def test_nothing_matches_a_hash_that_is_none(stored: str | None) -> None:
    assert not await passwords.matches(stored, "correct horse")


async def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    stored = await passwords.hashed("correct horse")

    async def work(hashed: str | None) -> float:
        start = time.process_time()
        await passwords.matches(hashed, "wrong password")
        return time.process_time() - start

    # In turns, and work instead of time: the machine may be busy during some of them.
    taken = [(await work(None), await work(stored)) for _ in range(6)]
    unknown, wrong = (min(each) for each in zip(*taken, strict=True))
    assert 0.5 < unknown / wrong < 2.0


async def test_hashes_of_other_strength_are_made_anew() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    better = await passwords.rehashed(weak, "correct horse")
    assert better is not None
    assert await passwords.matches(better, "correct horse")
    assert await passwords.rehashed(better, "correct horse") is None
    assert await passwords.rehashed(None, "x") is None
    assert await passwords.rehashed(passwords._NOBODY, "x") is None  # of today's strength


async def test_the_loop_goes_on_while_passwords_are_hashed() -> None:
    async with asyncio.TaskGroup() as group:
        hashing = [group.create_task(passwords.hashed("correct horse")) for _ in range(12)]
        longest, ticks = 0.0, 0
        while not all(task.done() for task in hashing):
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before)
            ticks += 1
    assert ticks > 5
    assert longest < 2  # a moment; on a busy machine


async def test_a_flood_is_turned_away_instead_of_queueing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 6)
    asked = [passwords.hashed("x") for _ in range(26)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, TooMany) for one in outcomes) == 20
    assert await passwords.hashed("x")  # and the next is served


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery", "Tr0ub4dor&3", "  spaces  count ", "пароль из слов", "x!9Kq2zz",
        "🐈🌵🎲🪁🥁🧵🦔🌊", "83920174", "adamant walrus",
    ],
)  # fmt: skip
def test_these_passwords_are_taken(password: str) -> None:
    assert passwords.check_password(password, "ada", "ada@example.org") == password


@pytest.mark.parametrize(
    "password",
    [
        "", "short7!", "x" * 1025, "password", "PASSWORD", "password1", "Password123", "12345678",
        "1234567890", "87654321", "abcdefgh", "qwertyuiop", "iloveyou", "sunshine", "football1",
        "aaaaaaaa", "abababab", "abcabcabc", "trustno1", "letmein123", "1q2w3e4r", "summer2025",
        "microblog", "Microblog1", "microblog2026!", "lovelace", "Lovelace99", "99lovelace",
        "lovelace@example.org", "Lovelace@example.org!", "our garden", "OurGarden1", "contraseña",
    ],
)  # fmt: skip
def test_these_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        passwords.check_password(password, "lovelace", "lovelace@example.org", ("Our Garden",))
    assert list(refusal.value.errors) == ["password"]


def test_the_list_of_common_passwords_is_long_and_clean() -> None:
    common = passwords._common() - {""}
    assert len(common) >= 3000
    assert all(word == word.strip().lower() and len(word) >= 8 for word in common)
