from __future__ import annotations

import pytest

from microblog.follows import lists, queries
from microblog.follows.lists import ELSEWHERE, UNKNOWN, YOURSELF, Outcome
from microblog.kernel.errors import Invalid
from tests.posts.stage import Stage

HEAD = "Account address,Show boosts,Notify on new posts,Languages\r\n"
HOSTS = {"social.example"}


async def brings(stage: Stage, account_id: int, content: str) -> Outcome:
    outcome = Outcome()
    async with stage.db.writing() as session:
        wanted = lists.read(content.encode())
        await lists.follow_some(session, account_id, wanted, hosts=HOSTS, outcome=outcome)
    return outcome


async def test_those_who_are_here_are_followed_and_the_others_named(stage: Stage) -> None:
    ada, bob = await stage.person("ada"), await stage.person("Bob")
    await stage.person("carol", suspended_at=(await stage.says(bob)).created_at)
    content = HEAD + "".join(
        f"{address},true,false,\r\n"
        for address in (
            "bob@social.example", "@BOB", "dora@other.example", "nobody@SOCIAL.example",
            "ada", "carol", "=cmd|' /C calc'!A0",
        )
    )  # fmt: skip
    outcome = await brings(stage, ada, content)
    assert outcome.followed == ["bob"]
    assert dict(outcome.skipped) == {
        "dora@other.example": ELSEWHERE,
        "nobody@SOCIAL.example": UNKNOWN,
        "ada": YOURSELF,
        "carol": UNKNOWN,
        "=cmd|' /C calc'!A0": UNKNOWN,
    }
    async with stage.db.reading() as session:
        assert await queries.following(session, ada) == [bob]
    again = await brings(stage, ada, content)
    assert (again.followed, again.known) == ([], 2)


@pytest.mark.parametrize(
    "content",
    [b"", b"\xef\xbb\xbf", HEAD.encode(), b"\r\n,,,\r\n", b"\x00\x00", b'"' + b"x" * 200_000],
)
def test_what_is_no_list_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        lists.read(content)
    assert refused.value.errors["list"][0] == lists.EMPTY


def test_a_list_has_an_end() -> None:
    content = "".join(f"person{n}\n" for n in range(lists.MOST + 1))
    with pytest.raises(Invalid) as refused:
        lists.read(content.encode())
    assert refused.value.errors["list"][0] == lists.LONG
    fewer = content.removesuffix(f"person{lists.MOST}\n")
    assert len(lists.read(fewer.encode())) == lists.MOST


def test_any_bytes_are_read() -> None:
    assert lists.read(b"PK\x03\x04\xff\xfe,\xc3(\nada\n")[-1] == "ada"
