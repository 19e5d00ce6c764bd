"""Compiled templates are read again only while nothing they were made of has changed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from microblog.web.compiled import Compiled, digest

NOW, THEN = digest([]), digest([Path(__file__)])


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


def test_what_was_compiled_once_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _drawn(NOW) == "a = 1"
    monkeypatch.delattr(Environment, "compile")
    assert _drawn(NOW) == "a = 1"


def test_each_language_has_its_own() -> None:
    assert _drawn(NOW) == "a = 1"
    assert _drawn(NOW, language="es", text="uno") == "uno"
    assert _drawn(NOW) == "a = 1"


def test_what_was_made_of_something_else_is_compiled_anew() -> None:
    assert _drawn(THEN, text="before") == "before"
    assert _drawn(NOW) == "a = 1"


@pytest.mark.parametrize("at", [0, 40, -1])
def test_what_was_damaged_is_compiled_anew(place: Path, at: int) -> None:
    _drawn(NOW, text="before")
    (file,) = (path for path in place.rglob("*.en") if path.is_file())
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)
    assert _drawn(NOW) == "a = 1"


def test_nothing_is_written_where_python_writes_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert _drawn(NOW) == "a = 1"
    assert not [path for path in place.rglob("*") if path.is_file()]


def test_where_it_cannot_be_kept_it_is_done_without(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").touch()
    monkeypatch.setattr(sys, "pycache_prefix", str(place / "file"))
    assert _drawn(NOW) == "a = 1"


def test_any_change_of_what_is_compiled_from_tells(tmp_path: Path) -> None:
    found = [digest([tmp_path])]
    for name, content in (("a", "1"), ("a", "2"), ("b", "2"), ("c/a", "2")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        found.append(digest([tmp_path]))
    (tmp_path / "b").unlink()
    found.append(digest([tmp_path]))
    assert len(set(found)) == len(found)


def _drawn(version: bytes, *, language: str = "en", text: str = "a = {{ 1 }}") -> str:
    """By a process that begins."""
    kept = Compiled(language, version)
    pages = Environment(
        loader=DictLoader({"page.html": text}), autoescape=True, bytecode_cache=kept
    )
    drawn = pages.get_template("page.html").render()
    kept.keep()
    return drawn
