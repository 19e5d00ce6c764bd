"""What this product is made of: bounded versions, free licences, nothing that runs while it is
installed (SECURITY 49)."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "pyproject.toml").read_text()
PROJECT = tomllib.loads(TEXT)
NEEDED = {one.name: one for one in map(Requirement, PROJECT["project"]["dependencies"])}

# Words of licences that ask for a notice and no more; LGPL and MPL ask for their own files only.
FREE = re.compile(
    r"\b(MIT(-CMU|-0)?|BSD|Apache|ISC|Python Software Foundation|PSF|CNRI|0BSD|Zlib|HPND|Unlicense"
    r"|Mozilla Public License|MPL-2\.0)\b"
)
STRICT = re.compile(
    r"\b(A?GPL|GNU (Affero )?General|SSPL|BUSL|Proprietary|Commercial)", re.IGNORECASE
)


def licence(name: str) -> str:
    about = metadata.metadata(name)
    said = about.get("License-Expression") or ""
    classified = [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    first_line = (about.get("License") or "").strip().partition("\n")[0]
    return " | ".join(filter(None, [said, *classified, first_line]))


def all_parts() -> set[str]:
    """The dependencies and theirs, as they are installed here."""
    found: set[str] = set()
    waiting = [(one.name, frozenset(one.extras)) for one in NEEDED.values()]
    while waiting:
        name, extras = waiting.pop()
        if name.lower() in found:
            continue
        found.add(name.lower())
        for written in metadata.requires(name) or []:
            part = Requirement(written)
            wanted = [{"extra": extra} for extra in (extras or {""})]
            if part.marker is None or any(part.marker.evaluate(one) for one in wanted):
                waiting.append((part.name, frozenset(part.extras)))
    return found


@pytest.mark.parametrize("name", NEEDED)
def test_a_dependency_has_a_lowest_version_and_a_reason(name: str) -> None:
    signs = {one.operator for one in NEEDED[name].specifier}
    assert signs & {">=", "==", "~="}, "no lower bound"
    assert metadata.version(name) in NEEDED[name].specifier
    line = next(one for one in TEXT.splitlines() if re.match(rf'\s+"{re.escape(name)}[\[>]', one))
    assert len(line.partition("# ")[2]) > 5, "no reason"


@pytest.mark.parametrize("name", sorted(all_parts()))
def test_a_part_may_be_handed_on_by_everybody(name: str) -> None:
    said = licence(name)
    assert FREE.search(said), said
    assert not STRICT.search(said), said


def test_nothing_of_ours_runs_while_it_is_installed() -> None:
    assert PROJECT["build-system"] == {
        "requires": ["hatchling>=1.27"], "build-backend": "hatchling.build",
    }  # fmt: skip
    assert "dynamic" not in PROJECT["project"]
    build = PROJECT["tool"]["hatch"]["build"]
    assert not [key for key in (*build, *build["targets"]["wheel"]) if "hook" in key]
    assert not [name for name in ("setup.py", "setup.cfg", "hatch_build.py")
                if (ROOT / name).exists()]  # fmt: skip
    assert not list(ROOT.glob("*.pth"))


def test_advisories_and_a_list_of_parts_are_asked_for_in_one_command() -> None:
    """And from whatever registry pip is set to."""
    script = ROOT / ".ci" / "audit"
    assert script.stat().st_mode & 0o111
    text = script.read_text()
    assert "cyclonedx-py" in text
    assert "pip-audit" in text
    assert "--strict" in text
    assert "://" not in text
