"""Everything that PERFORMANCE.md sets a goal for, beside its peers in the same run.

    python -m tests.bench                    all of it, at most 15 minutes on two calm cores
    python -m tests.bench --quick            two minutes: shows that it works, not how fast
    python -m tests.bench --only live,mail   some of it
    python -m tests.bench --json found.json  the figures as data too
    python -m tests.bench --write docs/performance.md   and into the document

The clients run in this process, every server in one of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench import live, machine, mail, pages, processes_apart, scale, start, timelines
from tests.bench.plan import Plan
from tests.bench.table import Row, markdown, text, write_into

Section: TypeAlias = tuple[str, Callable[[Plan], Awaitable[Sequence[Row]]]]

SECTIONS: dict[str, Section] = {
    "start": ("Start and memory", start.run),
    "live": ("Live fan-out", live.run),
    "processes": ("Two processes", processes_apart.run),
    "pages": ("Pages", pages.run),
    "timelines": ("Home timelines", timelines.run),
    "mail": ("Mail", mail.run),
    "scale": ("Growing", scale.run),
}


async def measured(names: Sequence[str], plan: Plan) -> dict[str, Sequence[Row]]:
    """The rows of each section, shown as they come; one that fails leaves the others their rows."""
    found: dict[str, Sequence[Row]] = {}
    for name in names:
        title, run = SECTIONS[name]
        plan.say(title)
        began = time.monotonic()
        try:
            found[name] = await run(replace(plan, folder=plan.folder / name))
        except (Exception, SystemExit):  # noqa: BLE001 - minutes of measuring are worth keeping
            traceback.print_exc()
        else:
            print(text(title, found[name]), flush=True)
        plan.say(f"{time.monotonic() - began:.0f} s")
    return found


def main() -> None:
    given = _parser().parse_args()
    names = given.only.split(",") if given.only else list(SECTIONS)
    if unknown := set(names) - set(SECTIONS):
        raise SystemExit(f"There is no {', '.join(unknown)}; there are {', '.join(SECTIONS)}.")
    command = " ".join(["python -m tests.bench", *sys.argv[1:]])
    about: dict[str, Any] = {"command": command, "date": _now(), "load before": machine.load()}
    about["machine"] = machine.described()
    print(machine.in_words(about["machine"]))
    machine.warn_unless_calm()
    with tempfile.TemporaryDirectory(prefix="microblog-bench-") as folder:
        found = asyncio.run(measured(names, Plan(Path(folder), given.quick)))
    if given.json:
        given.json.write_text(json.dumps(_as_data(about, found), indent=1, ensure_ascii=False))
    if len(found) < len(names):
        raise SystemExit("Some of it failed, see above.")
    if given.write:
        order = [title for title, _ in SECTIONS.values()]
        write_into(given.write, _as_sections(about, found), order)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--only", metavar="NAME", help=f"of {', '.join(SECTIONS)}; commas between")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="put what was measured between the document's markers",
    )
    return parser


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _as_data(about: dict[str, Any], found: dict[str, Sequence[Row]]) -> dict[str, Any]:
    return about | {"rows": {name: [row.record() for row in rows] for name, rows in found.items()}}


def _as_sections(about: dict[str, Any], found: dict[str, Sequence[Row]]) -> dict[str, str]:
    """By title.  Each says how it was measured, for others may stay from another day."""
    how = [
        f"`{about['command']}`, {about['date']}, load {about['load before']:.2f} before it began.",
        f"{machine.in_words(about['machine'])}.",
    ]
    titles = {name: SECTIONS[name][0] for name in found}
    return {title: markdown(title, how, found[name]) for name, title in titles.items()}


if __name__ == "__main__":
    main()
