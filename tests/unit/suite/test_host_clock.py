"""A clock's shift is known within the error that is told, whatever the network did."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.hosts.clock import RoundTrip, best, evidence_of

NS = st.integers(0, 10**10)


def trip(shift: int, there: int, thinking: int, back: int, start: int = 10**9) -> RoundTrip:
    """Return what both ends stamp when the other clock is *shift* behind this one."""
    heard = start + there
    told = heard + thinking
    return RoundTrip(
        asked_ns=start,
        heard_ns=heard - shift,
        told_ns=told - shift,
        answered_ns=told + back,
    )


@given(shift=st.integers(-(10**15), 10**15), there=NS, thinking=NS, back=NS)
def test_the_true_shift_is_within_the_error(shift: int, there: int, thinking: int, back: int):
    seen = trip(shift, there, thinking, back)

    assert abs(seen.shift_ns - shift) <= seen.error_ns


@given(there=NS, thinking=NS, back=NS)
def test_the_error_is_half_of_what_the_ways_took(there: int, thinking: int, back: int):
    assert trip(0, there, thinking, back).error_ns == -(-(there + back) // 2)


def test_equal_ways_give_the_shift_itself():
    assert trip(-7_000, 500, 123, 500).shift_ns == -7_000


def test_the_shortest_round_trip_counts():
    slow, quick = trip(5, 900, 0, 100), trip(5, 10, 0, 30)

    assert best([slow, quick]) is quick


def test_no_round_trip_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        best([])


def test_evidence_keeps_every_round_trip_and_what_is_added():
    slow, quick = trip(2_000_000, 900, 0, 100), trip(2_000_000, 20, 0, 20)

    detail, data = evidence_of([slow, quick], when="after", used_ns=1_000_000)

    assert detail == "after: known within ±0.000 ms, +1.000 ms from before"
    assert (data["shift_ns"], data["error_ns"], data["used_ns"]) == (2_000_000, 20, 1_000_000)
    assert len(data["round_trips_ns"]) == 2
