"""Several processes: restarted one by one behind a proxy, and seen by scraping."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from tests.operate.proxies import PROXIES, Front, front, proxying
from tests.process import SiteProcess

TOKEN = "a-token-for-prometheus"


async def test_scrapes_meet_each_process_which_says_who_it_is(tmp_path: Path) -> None:
    several = SiteProcess(
        tmp_path, arguments=("--workers", "2"), metrics_token=TOKEN, log_format="json"
    )
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
    told = [json.loads(line).get("message", "") for line in several.said().splitlines()]
    for said in (f"Microblog is at {several.url}", "No SMTP server", "/admin/claim/"):
        assert sum(said in each for each in told) == 1, told


@pytest.mark.parametrize("program", PROXIES)
async def test_restarting_one_after_the_other_refuses_no_page(program: str, tmp_path: Path) -> None:
    entrance = front(program, tmp_path)
    one, two = (
        SiteProcess(tmp_path / "data", base_url=entrance.url, trusted_proxies="127.0.0.1")
        for _ in range(2)
    )
    two.log = tmp_path / "two.log"
    async with AsyncExitStack() as stack:
        for part in (one, two, proxying(entrance, one.port, two.port)):
            await stack.enter_async_context(part)
        reading = asyncio.ensure_future(_answers_until(ended := asyncio.Event(), entrance))
        # "A few seconds more": nginx counts whole ones, and its fail_timeout=2s lasts up to three.
        for site, wait in ((one, 0.3), (two, 3.5)):
            await asyncio.sleep(wait)
            assert await site.stop() == 0
            await site.start()
            await site.ready()
        ended.set()
        answers = await reading
    print(f"{answers.total()} pages behind {program} through two restarts: {dict(answers)}")
    assert set(answers) == {200}


async def _answers_until(ended: asyncio.Event, entrance: Front) -> Counter[int]:
    """How often each status came, asking all the time."""
    answers: Counter[int] = Counter()
    async with httpx2.AsyncClient(verify=entrance.trusted(), http2=True, timeout=15) as http:
        while not ended.is_set():
            answers[(await http.get(f"{entrance.url}/login")).status_code] += 1
            await asyncio.sleep(0.02)
    return answers


async def test_what_a_killed_site_s_workers_shared_goes_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "tmp"
    shared.mkdir()
    monkeypatch.setenv("TMPDIR", str(shared))
    several = SiteProcess(tmp_path / "data", arguments=("--workers", "2"), limits="default")
    async with several as site:
        (left,) = shared.glob(".microblog-*")
        assert (left / "limits.db").exists()
        await site.kill()
        async with asyncio.timeout(10):  # the workers see it and drain
            while _is_held(left):
                await asyncio.sleep(0.02)
        os.utime(left, (0, 0))
        await site.start()
        await site.ready()
        assert not left.exists()
        assert await site.stop() == 0
    assert not list(shared.glob(".microblog-*"))


def _is_held(folder: Path) -> bool:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
