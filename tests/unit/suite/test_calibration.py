"""A pause is right when it is measured as long as it was, and blamed on whose it was.

Method: histories of probes around a pause whose length is known, made by hand.
"""

import pytest

from certify.calibration import Place, Point, judge_point, table_of
from certify.dm_pause import Pause
from certify.history import Window
from certify.standstill import Standstills, of_spans
from reports.record import IoRecord, Verdict
from tests.unit.suite.conftest import MS, make_io

NOBODY = of_spans([])


def pause(begin: float, end: float, doubt: float = 0.0) -> Pause:
    return Pause(
        begin_ns=(int(begin * MS), int((begin + doubt) * MS)),
        end_ns=(int(end * MS), int((end + doubt) * MS)),
    )


def probed(begin: float, end: float, probe: str = "app-write") -> list[IoRecord]:
    """Return I/Os due every 10 ms, of which those due in the pause ended together after it."""
    return [
        make_io(probe=probe, k=k, due=10 * k, done=end + 1 if begin <= 10 * k < end else 10 * k + 1)
        for k in range(400)
    ]


def judged(place: Place, one: Pause, ios: list[IoRecord], seen: Standstills = NOBODY) -> Point:
    return judge_point(place, one, ios, seen, interval_ms=10.0)


def test_pause_in_the_path_is_measured_and_is_the_systems() -> None:
    point = judged(Place.PATH, pause(1005, 2005), probed(1005, 2005))

    assert (point.verdict, point.told) == (Verdict.PASS, "measured")
    assert (point.truth_ms, point.measured_ms, point.error_ms) == (1000.0, 996.0, -4.0)
    assert point.certain_ms == 996.0


def test_pause_in_an_array_is_measured_by_its_own_probe() -> None:
    ios = [*probed(0, 0), *probed(1005, 1205, "array:A")]

    assert judged(Place.ARRAY, pause(1005, 1205), ios).measured_ms == 196.0
    assert judged(Place.PATH, pause(1005, 1205), ios).verdict is Verdict.FAIL


@pytest.mark.parametrize(("wrong_ms", "how"), [(-120, "short"), (120, "long")])
def test_measured_too_short_or_too_long_is_wrong(wrong_ms: int, how: str) -> None:
    point = judged(Place.PATH, pause(1005, 2005), probed(1005, 2005 + wrong_ms))

    assert (point.verdict, point.told) == (Verdict.FAIL, f"too {how} by more than 50.0 ms")


def test_too_long_by_the_hosts_noise_is_inconclusive() -> None:
    noise = make_io(probe="control", op="read", due=2000, done=2125)

    point = judged(Place.PATH, pause(1005, 2005), [*probed(1005, 2125), noise])

    assert point.verdict is Verdict.INCONCLUSIVE
    assert "too long by 116 ms" in point.told


def test_too_long_by_what_the_lab_is_late_anyhow_is_inconclusive() -> None:
    ios = [*probed(1005, 2105), make_io(k=999, due=500, done=620)]

    point = judged(Place.PATH, pause(1005, 2005), ios)

    assert point.verdict is Verdict.INCONCLUSIVE
    assert "the lab was late by 120 ms without a pause" in point.told


def test_measurer_that_stood_still_for_longer_than_it_was_made_to_is_inconclusive() -> None:
    point = judged(Place.MEASURER, pause(1005, 2005), [], stopped(1005, 2105))

    assert point.verdict is Verdict.INCONCLUSIVE


def test_short_pause_may_be_off_by_an_interval_and_by_the_doubt_of_the_truth() -> None:
    one = pause(1001, 1051, doubt=4.0)

    assert judged(Place.PATH, one, probed(1001, 1051)).tolerance_ms == 14.0


def test_noise_at_the_same_time_leaves_a_pause_open() -> None:
    ios = [*probed(1005, 2005), make_io(probe="control", op="read", due=1005, done=2004)]

    point = judged(Place.PATH, pause(1005, 2005), ios)

    assert point.verdict is Verdict.INCONCLUSIVE
    assert "the control disk was late at the same time" in point.told


def stopped(begin: float, end: float) -> Standstills:
    return of_spans([Window(start_ns=int(begin * MS), end_ns=int(end * MS))])


def test_measurers_own_pause_is_flagged_and_blamed_on_nobody() -> None:
    ios = [
        make_io(
            k=io.k,
            due=10 * io.k,
            sent=2001 if 1005 <= 10 * io.k < 2005 else 10 * io.k,
            done=io.done_ns / MS,
        )
        for io in probed(1005, 2005)
    ]

    point = judged(Place.MEASURER, pause(1005, 2005), ios, stopped(1003, 2006))

    assert (point.verdict, point.told) == (Verdict.PASS, "flagged as the measurer's own")
    assert point.measured_ms == pytest.approx(1001.0)
    assert point.certain_ms < 50


def test_measurers_own_pause_that_nobody_notices_is_wrong() -> None:
    point = judged(Place.MEASURER, pause(1005, 2005), probed(1005, 2005))

    assert (point.verdict, point.measured_ms) == (Verdict.FAIL, 0.0)


def test_measurers_own_pause_blamed_on_the_system_is_wrong() -> None:
    ios = [*probed(1005, 2005), make_io(k=999, due=500, done=1900)]

    point = judged(Place.MEASURER, pause(1005, 2005), ios, stopped(1005, 2005))

    assert point.verdict is Verdict.FAIL
    assert "blamed on the system" in point.told


def test_table_has_a_line_per_pause() -> None:
    points = [judged(Place.PATH, pause(1005, 2005), probed(1005, 2005))] * 2

    head, *lines = table_of(points)

    assert "truth" in head
    assert len(lines) == 2
    assert all("1.00 s" in line and "-0.4 %" in line and "PASS" in line for line in lines)
