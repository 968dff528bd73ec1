"""Axes: values at their place, round figures, one unit per axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.axes import LinearAxis, LogAxis, exponents_around, tick_latency, tick_time


def axis(low: float, high: float) -> LinearAxis:
    return LinearAxis(low=low, high=high, start=100.0, end=500.0)


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6), st.integers(2, 12))
def test_ticks_are_inside_and_not_too_many(low: float, length: float, most: int) -> None:
    scale = axis(low, low + length)
    ticks = scale.ticks(most)
    assert len(ticks) <= most + 1
    slack = 1e-6 * max(abs(low), length)
    assert all(low - slack <= tick <= low + length + slack for tick in ticks)


@given(st.floats(-1e9, 1e9))
def test_nothing_is_placed_outside(value: float) -> None:
    assert 100.0 <= axis(-5.0, 5.0).place(value) <= 500.0


def test_log_axis_gives_each_power_of_ten_the_same_room() -> None:
    scale = LogAxis(low=-1, high=3, start=400.0, end=0.0)
    assert [scale.place(value) for value in scale.ticks()] == [400.0, 300.0, 200.0, 100.0, 0.0]


def test_zero_latency_is_at_the_low_end() -> None:
    assert LogAxis(low=-1, high=3, start=400.0, end=0.0).place(0.0) == 400.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], (-1, 2)), ([0.42, 84.2], (-1, 2)), ([0.0, 1000.0], (3, 5)), ([5.0], (0, 2))],
)
def test_powers_of_ten_enclose_the_values(values: list[float], expected: tuple[int, int]) -> None:
    assert exponents_around(values) == expected


def test_one_axis_has_one_unit() -> None:
    scale = axis(-500.0, 2000.0)
    labels = [tick_time(tick, scale, step_ms=scale.step(6)) for tick in scale.ticks(6)]
    assert [label.replace("\u202f", " ") for label in labels] == [
        "−0.5 s", "0", "+0.5 s", "+1.0 s", "+1.5 s", "+2.0 s",
    ]  # fmt: skip


def test_latency_figures() -> None:
    assert [tick_latency(v) for v in (0.1, 1.0, 1000.0)] == ["0.1", "1", "1\u202f000"]
