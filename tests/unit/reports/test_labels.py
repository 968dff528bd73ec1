"""Words on a chart: none meets another or crosses a line, and what is needed is always there."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import labels, timeline
from reports.axes import LinearAxis, LogAxis
from reports.ink import Text
from reports.labels import Labels
from reports.record import IoOutcome
from reports.series import Io
from reports.style import BOLD, INK, LEAD
from reports.timeline import Frame, StallMark

FRAME = Frame(
    x=LinearAxis(low=-3000.0, high=11000.0, start=100.0, end=540.0),
    y=LogAxis(low=-1, high=4, start=300.0, end=180.0),
)


def stall(name: str, due_ms: float, ms: float, limit_ms: float) -> StallMark:
    io = Io(due_ms=due_ms, latency_ms=ms, outcome=IoOutcome.GOOD)
    return StallMark(name=name, title=f"{name} stall", ms=ms, limit_ms=limit_ms, io=io)


def labelled(stalls: list[StallMark], floor_ms: float) -> Labels:
    words = Labels(frame=FRAME)
    for ms in timeline.limits_of(stalls):
        words.lines += timeline.level_line(FRAME, ms)
        words.put(labels.limit_places(FRAME, ms, ""))
    words.put(labels.noise_places(FRAME, floor_ms), needed=False)
    for mark in stalls:
        words.put(labels.stall_places(FRAME, mark, low=False), needed=False)
    return words


@given(
    st.floats(0, 4000),
    st.floats(1, 9000),
    st.floats(5000, 9000),
    st.floats(1, 2000),
    st.sampled_from([250.0, 1000.0, 5000.0]),
    st.floats(0.2, 900),
)
def test_words_keep_apart(
    due: float, failover: float, back_due: float, failback: float, limit: float, floor: float
) -> None:
    stalls = [stall("failover", due, failover, limit), stall("failback", back_due, failback, limit)]
    boxes = [text.box() for text in labelled(stalls, floor).placed]
    meeting = [
        (one, other)
        for one, other in combinations(boxes, 2)
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]
    assert meeting == []


@pytest.mark.parametrize("ms", [3.0, 84.0, 900.0, 4800.0])
def test_length_of_a_stall_is_always_told_on_an_empty_chart(ms: float) -> None:
    texts = [text.text for text in labelled([stall("failover", 10.0, ms, 250.0)], 2.2).placed]
    assert "failover stall" in texts


def test_two_directions_with_one_limit_have_one_line() -> None:
    stalls = [stall("failover", 0, 5, 250.0), stall("failback", 50, 5, 250.0)]
    assert timeline.limits_of(stalls) == {250.0: "failover, failback"}


def test_what_is_needed_is_put_even_where_nothing_is_free() -> None:
    words = Labels(frame=FRAME)
    place = labels.limit_places(FRAME, 250.0, "")
    for _ in range(9):
        words.put(place)
    assert len(words.placed) == 9


def test_what_is_not_needed_stays_away_where_nothing_is_free() -> None:
    words = Labels(frame=FRAME)
    for _ in range(9):
        words.put(labels.noise_places(FRAME, 2.2), needed=False)
    assert len(words.placed) == 4


def words_at(y: float) -> tuple[Text, ...]:
    return (Text(x=200.0, y=y, text="409 ms", font=BOLD, size=LEAD, colour=INK),)


def test_word_leaves_dots_readable_where_it_can() -> None:
    """The first place lies on an I/O, the next does not: the next is taken."""
    words = Labels(frame=FRAME, dots=[(205.0, 258.0)])

    words.put([words_at(260.0), words_at(220.0)])

    assert words.placed == list(words_at(220.0))


def test_word_lies_on_dots_rather_than_nowhere() -> None:
    """The length of a stall is worth a covered dot."""
    words = Labels(frame=FRAME, dots=[(205.0, 258.0)])

    words.put([words_at(260.0)], needed=False)

    assert words.placed == list(words_at(260.0))
