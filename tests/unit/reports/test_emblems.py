"""A verdict is told by its word and the shape of its mark, so that grey loses nothing."""

from itertools import combinations

import pytest

from reports.emblems import badge, chip, chip_width, verdict_mark
from reports.ink import Box, Shape, Text
from reports.record import Verdict
from reports.style import FILL, PALE, TEXT, WHITE


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2), which is what is left of a colour in grey."""
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("verdict", Verdict)
def test_word_of_a_verdict_can_be_read_in_grey(verdict: Verdict) -> None:
    assert contrast(TEXT[verdict], PALE[verdict]) >= 4.5


@pytest.mark.parametrize("verdict", Verdict)
def test_sign_in_a_badge_can_be_seen_in_grey(verdict: Verdict) -> None:
    assert contrast(WHITE, FILL[verdict]) >= 2.0


@pytest.mark.parametrize("verdict", Verdict)
def test_chip_carries_the_word(verdict: Verdict) -> None:
    marks = chip(verdict, right=100, middle=50)
    assert [mark.text for mark in marks if isinstance(mark, Text)] == [str(verdict)]


@pytest.mark.parametrize("verdict", Verdict)
def test_word_stays_in_its_chip(verdict: Verdict) -> None:
    (word,) = [mark for mark in chip(verdict, right=100, middle=50) if isinstance(mark, Text)]
    left, _, right, _ = word.box()
    assert 100 - chip_width(verdict) < left < right < 100


@pytest.mark.parametrize(("one", "other"), list(combinations(Verdict, 2)))
def test_no_two_marks_have_one_shape(one: Verdict, other: Verdict) -> None:
    def shape(verdict: Verdict) -> list[object]:
        marks = verdict_mark(verdict, x=0, y=0, size=10, colour="#000000")
        return [mark.points for mark in marks if isinstance(mark, Shape)]

    assert shape(one) != shape(other)


def test_badge_is_a_filled_square_with_its_sign() -> None:
    square, *sign = badge(Verdict.FAIL, x=0, y=0, size=20)
    assert isinstance(square, Box)
    assert len(sign) == 2
