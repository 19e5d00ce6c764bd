"""Upgrades that are killed half-way, in every step there ever was, and started again.

Whatever was changed so far must be gone, and what people wrote must still be there.  How long the
site is away for the longest step, with a million posts, is the long run's to say.
"""

from __future__ import annotations

import asyncio
import json
import sys

from tests.faults import report
from tests.faults.database import empty_beside
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.process import ROOT

ID = "R21"
NAME = "upgrades killed half-way"
FULL = 240.0
SHORT_KINDS = ("sqlite",)  # it copies a table to change it: the harder of the two

POSTS = 1_000_000


async def run(scale: Scale, database: str) -> Findings:
    posts = scale.of(int(min(POSTS, POSTS * scale.share)), 200)
    async with empty_beside(database) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.dying_upgrades", url, str(posts),
            *scale.of(("1", "3", "inf"), ("2", "inf")), cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, complaint = await process.communicate()
    if process.returncode:
        return Findings(violations=[f"it could not be tried: {complaint.decode()[-2000:]}"])
    found = json.loads(said)
    return Findings(
        f"{len(found['took'])} steps, {found['kills']} kills",
        [Size("posts", posts, POSTS)],
        [report.time("longest step", max(list(found["took"].values())[1:]), 5)],
        found["wrong"],
    )
