"""Path lanes: under the latency chart, on the same time axis, what state each path was in."""

from reports.axes import LinearAxis
from reports.chronology import Lane, Span
from reports.ink import Align, Box, Line, Mark, Text
from reports.style import (
    BOLD,
    DOUBT_FILL,
    FAIL_FILL,
    IDLE_PALE,
    INK,
    MONO,
    MUTED,
    PASS_TEXT,
    PATH_FAILED,
    PATH_STANDBY,
    REGULAR,
    TINY,
    text_width,
)
from reports.words import fit

LANE_HEIGHT = 12.5
_STRIP = 8.5
_PROBE = 1.8

_FILL = {
    "active": PATH_STANDBY,
    "active/optimized": PATH_STANDBY,
    "active/non-optimized": "#DCEFE8",
    "standby": "#DCEFE8",
    "transitioning": DOUBT_FILL,
    "failed": PATH_FAILED,
    "offline": PATH_FAILED,
    "removed": PATH_FAILED,
}
_WORD_COLOUR = {PATH_STANDBY: PASS_TEXT, "#DCEFE8": PASS_TEXT, IDLE_PALE: MUTED}


def draw_lanes(
    lanes: list[Lane],
    errors: dict[str, tuple[tuple[float, float], ...]],
    axis: LinearAxis,
    *,
    top: float,
    label_left: float,
) -> list[Mark]:
    """Return one strip per path; the thin line beneath it shows when its own probe failed."""
    marks: list[Mark] = []
    for index, lane in enumerate(lanes):
        y = top + index * LANE_HEIGHT
        name = fit(lane.path, MONO, TINY, axis.start - label_left - 5)
        marks.append(
            Text(
                x=axis.start - 4,
                y=y + 6.6,
                text=name,
                font=MONO,
                size=TINY,
                colour=INK,
                align=Align.RIGHT,
            )
        )
        for span in lane.spans:
            marks += _strip(span, axis, y)
        base = y + _STRIP + 1.2
        for start, end in errors.get(lane.path, ()):
            x0, x1 = axis.place(start), axis.place(end)
            marks.append(
                Line(x0=x0, y0=base, x1=max(x1, x0 + 0.8), y1=base, colour=FAIL_FILL, width=_PROBE)
            )
    return marks


def _strip(span: Span, axis: LinearAxis, y: float) -> list[Mark]:
    left, right = axis.place(span.start_ms), axis.place(span.end_ms)
    if right <= left:
        return []
    fill = _FILL.get(span.state.lower(), DOUBT_FILL if span.state else IDLE_PALE)
    word = span.state or "no state reported"
    marks: list[Mark] = [Box(x=left, y=y, width=right - left, height=_STRIP, fill=fill)]
    font = BOLD if fill == PATH_FAILED else REGULAR
    word = fit(word, font, TINY, 120)
    if text_width(word, font, TINY) + 6 <= right - left:
        colour = _WORD_COLOUR.get(fill, INK)
        marks.append(Text(x=left + 3, y=y + 6.5, text=word, font=font, size=TINY, colour=colour))
    return marks
