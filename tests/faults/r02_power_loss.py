"""An answered post survives a power cut: what the process asked of the kernel, in its order.

strace writes down what goes to the write-ahead log, what is synced, and what is read from and
written to sockets.  When a post is answered, something must have been written to the log since it
was asked for, and nothing there may still wait for its sync.  PostgreSQL promises that itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.client import Client, published
from tests.faults.people import seated
from tests.faults.report import Findings, Size
from tests.faults.scale import Scale
from tests.faults.serving import serving
from tests.process import SiteProcess

ID = "R2"
NAME = "synced before it is answered"
KINDS = ("sqlite",)  # PostgreSQL's own syncing is not ours to try
FULL = 20.0

POSTS = 100
CALLS = "pwrite64,fsync,fdatasync,recvfrom,sendto,sendmsg"
LINE = re.compile(
    r"(?P<thread>\d+) +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<call>\w+)\()(?P<of>.*)"
)
UNFINISHED = "<unfinished ...>"
LOG = "-wal>"
ASKED, ANSWERED = '"POST /posts ', '"HTTP/1.1 303 '


async def run(scale: Scale, database: str) -> Findings:
    if not (strace := shutil.which("strace")):
        return Findings(not_run="strace is not installed")
    posts, seats = scale.of(POSTS, 30), await seated(database, ["writer"])
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        # Nobody else writes meanwhile: no consumer of the log, no mail.
        async with serving(database, workers_here="off") as site:
            try:
                async with _traced(strace, site, trace):
                    await _post(site, Client(site.port, seats["writer"]), posts)
            except PermissionError as error:
                return Findings(not_run=str(error))
        seen = Seen()
        seen.read(trace.read_text(errors="replace").splitlines())
    wrong = list(seen.complaints)
    if seen.answers != posts:
        wrong.append(f"{seen.answers} of {posts} answers are in the trace")
    synced = Size("answers after their sync", seen.answers - len(seen.complaints), POSTS)
    return Findings(f"{seen.syncs} syncs of the log", [synced], violations=wrong)


async def _post(site: SiteProcess, client: Client, posts: int) -> None:
    for _ in range(posts):
        key = secrets.token_hex(8)
        await published(client, f"{key} is to last", key)


@asynccontextmanager
async def _traced(strace: str, site: SiteProcess, trace: Path) -> AsyncIterator[None]:
    assert site.process is not None
    tracer = await asyncio.create_subprocess_exec(
        strace, "-f", "-y", "-s", "32", "-e", f"trace={CALLS}", "-e", "signal=none",
        "-o", str(trace), "-p", str(site.process.pid), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert tracer.stderr is not None
    said = (await tracer.stderr.readline()).decode()
    if "attached" not in said:
        await tracer.wait()
        raise PermissionError(f"strace cannot be used here: {said.strip()}")
    reading = asyncio.ensure_future(tracer.stderr.read())
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            tracer.send_signal(signal.SIGINT)  # it lets go of the process and ends
        await tracer.wait()
        await reading


@dataclass
class Seen:
    """What a trace shows.  Several threads take part: one talks, one writes the log."""

    answers: int = 0
    syncs: int = 0
    complaints: list[str] = field(default_factory=list)
    _written: int = 0  # to the log, so far
    _synced: int = 0  # of them
    _asked: int | None = None  # how many were written when the post was asked for
    _covers: dict[str, int] = field(default_factory=dict)  # by thread: what a running sync covers
    _pending: dict[str, str] = field(default_factory=dict)  # by thread: a call that is not over

    def read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if found := LINE.match(line):
                self._step(found["thread"], found["call"] or "", found["of"])

    def _step(self, thread: str, call: str, of: str) -> None:
        """A call begins, ends, or both.  Nothing is counted as done before it ends, an answer as
        soon as it begins."""
        begins, ends = bool(call), not of.endswith(UNFINISHED)
        words = f"{call}({of}" if begins else self._pending.pop(thread, "") + of
        if begins and LOG in words and "sync(" in words:
            self._covers[thread] = self._written
        if begins and ANSWERED in words:
            self._answered()
        if not ends:
            self._pending[thread] = words
        elif words.startswith("recvfrom(") and ASKED in words:
            self._asked = self._written
        elif LOG in words and words.startswith("pwrite64("):
            self._written += 1
        elif LOG in words and "sync(" in words and words.rstrip().endswith("= 0"):
            self.syncs += 1
            self._synced = max(self._synced, self._covers.pop(thread, 0))

    def _answered(self) -> None:
        self.answers += 1
        if self._asked is None or self._written == self._asked:
            self.complaints.append(f"answer {self.answers} went out and nothing had been written")
        elif self._synced < self._written:
            self.complaints.append(f"answer {self.answers} went out before the log was synced")
        self._asked = None
