"""The boxes of docs/deploy.md: what is tested is what is read."""

from __future__ import annotations

import re

from tests.process import ROOT

PAGE = (ROOT / "docs" / "deploy.md").read_text()
_BOX = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def box(language: str, beginning: str) -> str:
    """The one box of that language that begins so."""
    found = [text for kind, text in _BOX.findall(PAGE)
             if kind == language and text.startswith(beginning)]  # fmt: skip
    assert len(found) == 1, f"{len(found)} boxes of {language} begin with {beginning!r}"
    return str(found[0])


def replaced(text: str, changes: dict[str, str]) -> str:
    """With other names in place of those given, each of which must be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the box any more"
        text = text.replace(old, new)
    return text
