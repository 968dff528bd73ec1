"""Pauses of known length in a real guest: measured, or flagged as the measurer's own.

One boot. On a busy machine a pause is lengthened by the machine itself; that is told as noise, and
is no failure. Longer pauses, up to 40 s, are for `certify calibrate`.
"""

import json

import pytest

PAUSES_MS = ("200", "1000")
PLACES = ("path", "array", "measurer")


@pytest.fixture(scope="module")
def points(cli, need_uml):
    """What was measured of every pause."""
    argv = ["calibrate", "--kernel", "uml", "--runs", str(cli.runs), "--json"]
    done = cli(*argv, "--pauses", *PAUSES_MS, timeout_s=240)
    assert done.stdout.startswith("["), done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads(done.stdout)


def test_every_pause_was_made_and_measured(points):
    """Each at each place, and the truth is known to a few milliseconds."""
    assert [(one["place"], round(one["truth_ms"], -2)) for one in points] == [
        (place, float(ms)) for place in PLACES for ms in PAUSES_MS
    ]
    assert all(one["doubt_ms"] < 0.2 * one["truth_ms"] for one in points)


def test_no_pause_is_measured_too_short(points):
    """A measured stall is an upper bound, whatever else the machine does."""
    assert all(one["measured_ms"] >= one["truth_ms"] - one["tolerance_ms"] for one in points)


def test_nothing_was_measured_wrong(points):
    """And no pause of the measurer was blamed on the system."""
    assert [one for one in points if one["verdict"] == "FAIL"] == []
