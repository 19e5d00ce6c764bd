"""What fails which run."""

from __future__ import annotations

from tests.faults.crowd import percentile
from tests.faults.report import FAIL, NOT_RUN, OVER, PASS, Findings, Size, bound, line, rate, time


def verdicts(findings: Findings) -> tuple[str, str]:
    """Of the short run and of the long one."""
    return findings.verdict(is_short=True), findings.verdict(is_short=False)


def test_time_fails_the_long_run_at_its_goal_and_the_short_one_at_five_times_that() -> None:
    assert verdicts(Findings(figures=[time("restart", 1.9, 2)])) == (PASS, PASS)
    assert verdicts(Findings(figures=[time("restart", 9, 2)])) == (OVER, FAIL)
    assert verdicts(Findings(figures=[time("restart", 11, 2)])) == (FAIL, FAIL)
    assert verdicts(Findings(figures=[rate("opened", 600, 500)])) == (PASS, PASS)
    assert verdicts(Findings(figures=[rate("opened", 101, 500)])) == (OVER, FAIL)


def test_a_bound_and_a_violation_fail_both() -> None:
    assert verdicts(Findings(figures=[bound("queued", 513, 512, "KiB")])) == (FAIL, FAIL)
    assert verdicts(Findings(violations=["a post is lost"])) == (FAIL, FAIL)
    assert verdicts(Findings(violations=["a post is lost"], not_run="half-way")) == (FAIL, FAIL)


def test_only_what_was_tried_in_the_size_that_is_asked_for_is_full() -> None:
    assert Findings(sizes=[Size("kills", 200, 200), Size("posts", 5001, 5000)]).is_full
    assert not Findings(sizes=[Size("kills", 200, 200), Size("posts", 4999, 5000)]).is_full
    assert not Findings(not_run="strace is not installed").is_full


def test_a_line_says_what_was_measured_and_what_was_wanted() -> None:
    found = Findings(
        "3 kept",
        [Size("kills", 3, 200)],
        [time("restart", 0.912, 2)],
        [f"post {n} is lost" for n in range(20)],
    )
    said = line("R1", "kill -9", "sqlite", found, is_short=True)
    assert "3 of 200 kills · 3 kept · restart 0.912 s (≤ 2)" in said
    assert "post 0 is lost" in said
    assert said.endswith("… and 8 more")
    unable = Findings(not_run="needs 20,000 open files")
    assert NOT_RUN in line("R13", "idle", "sqlite", unable, is_short=True)


def test_no_percentile_is_beyond_what_was_measured() -> None:
    assert percentile([30.0] * 39 + [170.0], 99) <= 170
    assert percentile([30.0] * 399 + [170.0], 99) == 30
    assert (percentile([7.0], 99), percentile([], 99)) == (7, 0)
