"""What a scrape sees of `serve --workers 2`: one process at a time, marked with its number."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2

from tests.process import SiteProcess

TOKEN = "a-token-for-prometheus"


async def test_scrapes_meet_each_process_which_says_who_it_is(tmp_path: Path) -> None:
    several = SiteProcess(tmp_path, arguments=("--workers", "2"), metrics_token=TOKEN)
    pids: dict[str, str] = {}
    async with several as site:
        for _ in range(200):
            async with (
                httpx2.AsyncClient() as http
            ):  # a connection of its own, so either may take it
                bearer = {"Authorization": f"Bearer {TOKEN}"}
                shown = (await http.get(f"{site.url}/metrics", headers=bearer)).text
            (line,) = [x for x in shown.splitlines() if x.startswith("microblog_process_info{")]
            facts = dict(re.findall(r'(\w+)="([^"]*)"', line))
            assert set(re.findall(r'worker="(\w+)"', shown)) == {facts["worker"]}
            assert pids.setdefault(facts["worker"], facts["pid"]) == facts["pid"]
            if len(pids) == 2:
                break
    assert set(pids) == {"0", "1"}
    assert len(set(pids.values())) == 2
