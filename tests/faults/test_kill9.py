from tests.faults import kill9


async def test_nothing_acknowledged_is_lost_and_nobody_misses_anything_through_kill_9() -> None:
    # Leased mail of a killed process waits for the end of its lease, which is half a minute.
    short = "tests.faults.short_waits"
    report = await kill9.run(3, pause=(0.0, 0.4), program=short)
    print(report)
    assert not report.faults, str(report)
    assert report.acknowledged >= 12  # otherwise nothing was proven
    assert report.mail_duplicates <= 3  # at most one lease a kill falls into the window
