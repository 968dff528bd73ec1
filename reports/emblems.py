"""Drawn signs: verdict marks, chips and the end mark. Drawn, so that no font can lack them.

Colour never stands alone: each verdict has its own outline and, in a chip, its word.
"""

from reports.ink import Align, Box, Mark, Shape, Text
from reports.language.speech import say
from reports.record import Verdict
from reports.style import BOLD, FILL, PALE, TEXT, TINY, WHITE, text_width

CHIP_HEIGHT = 11.5
_MARK_IN_CHIP = 6.0
_PAD = 4.5


def verdict_mark(verdict: Verdict, *, x: float, y: float, size: float, colour: str) -> list[Mark]:
    """Return the sign of *verdict* in a square of *size* points, upper left corner at *x*, *y*.

    A tick for PASS, a cross for FAIL, a diamond for INCONCLUSIVE, a dash for NOT RUN.
    """
    weight = size * 0.24
    low, high = 0.12 * size, 0.88 * size

    def stroke(*points: tuple[float, float]) -> Shape:
        moved = tuple((x + px, y + py) for px, py in points)
        return Shape(points=moved, stroke=colour, width=weight, round_ends=True)

    match verdict:
        case Verdict.PASS:
            return [stroke((low, 0.56 * size), (0.38 * size, 0.82 * size), (high, 0.18 * size))]
        case Verdict.FAIL:
            return [stroke((low, low), (high, high)), stroke((low, high), (high, low))]
        case Verdict.INCONCLUSIVE:
            half = size / 2
            corners = ((x + half, y), (x + size, y + half), (x + half, y + size), (x, y + half))
            return [Shape(points=corners, fill=colour)]
        case Verdict.NOT_RUN:
            return [stroke((low, size / 2), (high, size / 2))]


def chip_width(verdict: Verdict) -> float:
    """Return how wide the chip of *verdict* is."""
    return _PAD + _MARK_IN_CHIP + 3 + text_width(say(str(verdict)), BOLD, TINY) + _PAD


def chip(verdict: Verdict, *, right: float, middle: float) -> list[Mark]:
    """Return a pale box with mark and word, its right edge at *right*, centred on *middle*."""
    width = chip_width(verdict)
    left, colour = right - width, TEXT[verdict]
    box = Box(
        x=left,
        y=middle - CHIP_HEIGHT / 2,
        width=width,
        height=CHIP_HEIGHT,
        fill=PALE[verdict],
        radius=2.5,
    )
    word = Text(
        x=left + _PAD + _MARK_IN_CHIP + 3,
        y=middle + 0.36 * TINY,
        text=str(verdict),
        font=BOLD,
        size=TINY,
        colour=colour,
    )
    sign = verdict_mark(
        verdict, x=left + _PAD, y=middle - _MARK_IN_CHIP / 2, size=_MARK_IN_CHIP, colour=colour
    )
    return [box, *sign, word]


def badge(verdict: Verdict, *, x: float, y: float, size: float) -> list[Mark]:
    """Return a filled square with the white sign of *verdict*: strong in grey, too."""
    inner = size * 0.5
    inset = (size - inner) / 2
    return [
        Box(x=x, y=y, width=size, height=size, fill=FILL[verdict], radius=size * 0.16),
        *verdict_mark(verdict, x=x + inset, y=y + inset, size=inner, colour=WHITE),
    ]


def end_mark(*, x: float, y: float, text: str, colour: str) -> list[Mark]:
    """Return the sign after which nothing of the report follows."""
    return [
        Box(x=x - 2.5, y=y - 5, width=5, height=5, fill=colour),
        Text(x=x, y=y + 13, text=text, font=BOLD, size=TINY, colour=colour, align=Align.CENTRE),
    ]
