from tests.faults import kill9


async def test_nothing_acknowledged_is_lost_and_nobody_misses_anything_through_kill_9() -> None:
    report = await kill9.run(4, pause=(0.0, 0.4))
    print(report)
    assert not report.faults, str(report)
    assert report.acknowledged >= 16  # otherwise nothing was proven
    assert report.mail_duplicates <= 4  # at most one lease a kill falls into the window
