"""A copy from a stranger is looked at with distrust."""

from __future__ import annotations

import io
import json
import struct
import time
import zipfile
from zipfile import ZipFile

import pytest

from microblog.imports import archive, reading
from microblog.imports.archive import CopyFile
from microblog.kernel.errors import Invalid
from tests.imports.copies import answer, copy, packed, post, with_many_members


def refusal(file: io.BytesIO) -> str:
    with pytest.raises(Invalid) as refused:
        reading.contents(CopyFile(file))
    return refused.value.errors["archive"][0]


def test_what_is_in_it_is_counted() -> None:
    file = CopyFile(
        copy(
            [post(1), answer(2, 1), answer(3, 77), "no post", {"id": "x"}],
            following=("bob@there.example", "eve@there.example"),
            profile={"bio": "hello", "pronouns": "", "links": [["home", "https://a.example"]]},
            settings={"theme": "dark", "language": None},
        )
    )
    found = reading.contents(file)
    assert found["name"] == "ada"
    assert (found["posts"], found["answers"], found["unreadable"]) == (3, 1, 2)
    assert (found["follows"], found["profile"], found["settings"]) == (2, 2, 1)
    assert (found["first"], found["last"]) == ("2021-03-04", "2021-03-04")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK", b"no zip at all" * 100, packed({"a": b"b"}).getvalue(),
        packed({"person.json": b"[]"}).getvalue(),
        packed({"person.json": b'{"format": "1"}'}).getvalue(),
        packed({"person.json": b'{"format": 1}'}).getvalue(),
        packed({"person.json": b"[" * 100_000}).getvalue(),
        copy().getvalue()[:-30], copy(profile={"name": "../../x"}).getvalue(),
        copy().getvalue() + b"after the end",
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_words(content: bytes) -> None:
    assert refusal(io.BytesIO(content)) == archive.FOREIGN


def test_a_copy_without_posts_or_list_is_refused_or_empty() -> None:
    person = json.dumps({"format": 1, "host": "x", "profile": {"name": "ada"}}).encode()
    assert refusal(packed({"person.json": person})) == archive.FOREIGN
    found = reading.contents(CopyFile(packed({"person.json": person, "posts.json": b"[\n]\n"})))
    assert (found["posts"], found["follows"]) == (0, 0)


def test_what_is_not_known_is_passed_over() -> None:
    """Sites that have more to tell, of likes or bookmarks say, go on being read here."""
    more = {"likes.json": b'[\n{"id": "1"}\n]\n', "bookmarks.json": b"?"}
    found = reading.contents(CopyFile(copy([post(1)], members=more, lists=["a new part"])))
    assert found["posts"] == 1


def test_a_newer_format_says_so() -> None:
    assert refusal(copy(format=2)) == archive.NEWER


def test_a_bomb_is_not_opened() -> None:
    bomb = copy(members={"posts.json": b"[\n" + b" " * 50_000_000})
    assert len(bomb.getvalue()) < 100_000
    assert refusal(bomb) == archive.PACKED


def test_very_many_members_are_not_even_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    file = with_many_members(archive._MOST_MEMBERS + 1)
    monkeypatch.setattr(archive, "ZipFile", None)  # would fail differently
    assert refusal(file) == archive.FOREIGN


def test_zip64_cannot_tell_other_numbers() -> None:
    """Python would believe them, and read a list of any length."""
    plain = copy().getvalue()
    end = plain[-22:]
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    assert refusal(io.BytesIO(plain[:-22] + locator + end)) == archive.FOREIGN


def test_other_ways_of_packing_are_refused() -> None:
    made = io.BytesIO()
    with ZipFile(made, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("person.json", b'{"format": 1, "profile": {"name": "ada"}}')
    assert refusal(made) == archive.FOREIGN


def test_a_broken_member_is_noticed() -> None:
    content = bytearray(copy([post(n) for n in range(50)]).getvalue())
    at = content.index(b"posts.json") + 60
    content[at : at + 20] = b"\xff" * 20
    assert refusal(io.BytesIO(bytes(content))) == archive.FOREIGN


def test_lines_are_bounded_and_the_next_ones_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_LINE", 1000)
    long = post(2, "x" * 5000)
    found = reading.contents(CopyFile(copy([post(1), long, post(3)])))
    assert (found["posts"], found["unreadable"]) == (2, 1)


def test_more_posts_than_can_be_taken_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_POSTS", 3)
    assert refusal(copy([post(n) for n in range(4)])) == archive.MANY


def test_pictures_are_found_by_our_names_only() -> None:
    known = "0123456789abcdef" * 2
    file = CopyFile(
        copy(profile={"avatar": known, "header": "../../etc/passwd"},
             members={f"media/{known}-96.jpg": b"small", f"media/{known}-400.webp": b"large",
                      "media/../../etc/passwd-1500.webp": b"no"})
    )  # fmt: skip
    assert file.picture("avatar") == b"large"
    assert file.picture("header") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 5}, {"id": "0"}, {"id": "9" * 30}, {"id": None}, {"at": "yesterday"}, {"at": None},
        {"at": "2021-03-04T05:06:07"}, {"at": "2021-03-04T05:06:07+99:99"}, {"text": None},
        {"text": ["x"]}, {"at": "0001-01-01T00:00:00+23:00"}, {"at": "9999-12-31T23:59:59-23:00"},
    ],
)  # fmt: skip
def test_what_is_no_post_is_none(wrong: dict[str, object]) -> None:
    assert reading.record(post(1) | wrong, "there.example") is None


@pytest.mark.parametrize(
    "odd",
    [
        {"earlier": "x"}, {"earlier": [1, {}, {"at": 3, "text": 4}]}, {"in_reply_to": 7},
        {"in_reply_to": {}}, {"in_reply_to_name": 7}, {"origin": "x"}, {"origin": {"id": 1}},
        {"edited_at": []},
    ],
)  # fmt: skip
def test_odd_parts_of_a_post_are_left_aside(odd: dict[str, object]) -> None:
    found = reading.record(post(1) | odd, "there.example")
    assert found is not None
    assert (found.answers, found.post.earlier, found.host) == (None, (), "there.example")


def test_a_large_copy_is_looked_through_quickly() -> None:
    file = copy([post(n) for n in range(20_000)])
    began = time.process_time()
    assert reading.contents(CopyFile(file))["posts"] == 20_000
    print(f"20,000 posts looked through in {time.process_time() - began:.2f} s of 2 s")
    assert time.process_time() - began < 10
