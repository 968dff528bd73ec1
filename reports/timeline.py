"""The latency timeline: every pixel column's worst I/O, the fault, the stalls, the limit."""

from dataclasses import dataclass

from reports.axes import LinearAxis, LogAxis, exponents_around, tick_latency, tick_time
from reports.ink import Align, Box, Dots, Line, Mark, Point, Segments, Shape, Text
from reports.series import Io, Reduced
from reports.style import (
    DATA,
    DATA_PALE,
    FAIL_FILL,
    FAULT_BAND,
    FAULT_TEXT,
    INK,
    MUTED,
    REGULAR,
    RULE,
    STALL_BAND,
    TINY,
    text_width,
)

_DRAWN_AS_SEGMENT = 3.0  # points; a shorter I/O is only a dot
_SEGMENTS_MOST = 32  # more would be an area; the dots show every column anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class StallMark:
    """A stall to show: which direction, its judged length, the I/O that shows it, its limit."""

    name: str  # "failover"
    title: str  # "failover stall"
    ms: float
    limit_ms: float
    io: Io | None

    @property
    def beyond(self) -> bool:
        """Whether the stall is longer than its limit."""
        return 0 < self.limit_ms < self.ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The plot area: its edges and its axes."""

    x: LinearAxis
    y: LogAxis

    @property
    def left(self) -> float:
        """The left edge of the plot."""
        return self.x.start

    @property
    def right(self) -> float:
        """The right edge of the plot."""
        return self.x.end

    @property
    def top(self) -> float:
        """The upper edge of the plot."""
        return self.y.end

    @property
    def bottom(self) -> float:
        """The lower edge of the plot."""
        return self.y.start


def latency_range(reduced: Reduced, stalls: list[StallMark]) -> tuple[int, int]:
    """Return the powers of ten that enclose all I/Os, stalls and limits."""
    values = [latency for _, latency in (*reduced.worst, *reduced.median)]
    values += [value for stall in stalls for value in (stall.ms, stall.limit_ms * 1.3)]
    low, high = exponents_around(values)
    return max(low, high - 6), high


def fault_band(frame: Frame, *, start_ms: float, end_ms: float) -> Mark:
    """Return the pale band in which the fault was active."""
    left, right = frame.x.place(start_ms), frame.x.place(end_ms)
    return Box(
        x=left,
        y=frame.top,
        width=right - left,
        height=frame.bottom - frame.top,
        fill=FAULT_BAND,
    )


def grid(frame: Frame, *, unit: str) -> list[Mark]:
    """Return the latency axis: a thin line and a figure at each power of ten."""
    marks: list[Mark] = []
    for value in frame.y.ticks():
        y = frame.y.place(value)
        marks.append(Line(x0=frame.left, y0=y, x1=frame.right, y1=y, colour=RULE, width=0.4))
        label = tick_latency(value) + (f" {unit}" if value == frame.y.ticks()[-1] else "")
        marks.append(_label(label, frame.left - 4, y + 2.2, MUTED, Align.RIGHT))
    return marks


def time_axis(frame: Frame, *, most: int, y: float) -> list[Mark]:
    """Return the figures of the time axis with their baseline at *y*."""
    marks: list[Mark] = []
    for value in frame.x.ticks(most):
        x = frame.x.place(value)
        label = tick_time(value, frame.x, step_ms=frame.x.step(most))
        half = text_width(label, REGULAR, TINY) / 2
        align = Align.CENTRE
        if x + half > frame.right:
            align = Align.RIGHT
        elif x - half < frame.left:
            align = Align.LEFT
        tick = frame.bottom
        marks.append(Line(x0=x, y0=tick, x1=x, y1=tick + 2.5, colour=MUTED, width=0.5))
        marks.append(_label(label, x, y, MUTED, align))
    return marks


def limits_of(stalls: list[StallMark]) -> dict[float, str]:
    """Return each limit once, with the directions that it is for."""
    limits: dict[float, str] = {}
    for stall in stalls:
        if stall.limit_ms > 0:
            names = limits.get(stall.limit_ms)
            limits[stall.limit_ms] = f"{names}, {stall.name}" if names else stall.name
    return dict(sorted(limits.items()))


def level_line(frame: Frame, ms: float, *, noise: bool = False) -> list[Line]:
    """Return a dashed line at a limit, or a dotted one at the noise floor, if it is in view."""
    if not 10.0**frame.y.low <= ms <= 10.0**frame.y.high:
        return []
    y = frame.y.place(ms)
    colour, width, dash = (MUTED, 0.7, (0.8, 1.8)) if noise else (INK, 0.9, (4.0, 2.5))
    return [Line(x0=frame.left, y0=y, x1=frame.right, y1=y, colour=colour, width=width, dash=dash)]


def moment_line(frame: Frame, at_ms: float) -> list[Line]:
    """Return an upright line at a moment, if it is in view."""
    if not frame.x.low <= at_ms <= frame.x.high:
        return []
    x = frame.x.place(at_ms)
    return [Line(x0=x, y0=frame.top, x1=x, y1=frame.bottom, colour=FAULT_TEXT, width=0.7)]


def stall_bands(frame: Frame, stalls: list[StallMark]) -> list[Mark]:
    """Return the bands in which the longest I/Os waited; thin ones are still two points wide."""
    return [
        Box(
            x=frame.x.place(stall.io.due_ms),
            y=frame.top,
            width=max(frame.x.place(stall.io.end_ms) - frame.x.place(stall.io.due_ms), 1.6),
            height=frame.bottom - frame.top,
            fill=STALL_BAND,
        )
        for stall in stalls
        if stall.io
    ]


def points(frame: Frame, reduced: Reduced) -> list[Mark]:
    """Return the worst I/O of every column as a dot, slow ones as segments, and the median."""
    dots = tuple((frame.x.place(at), frame.y.place(ms)) for at, ms in reduced.worst)
    median = tuple((frame.x.place(at), frame.y.place(ms)) for at, ms in reduced.median)
    marks: list[Mark] = [Dots(points=dots, diameter=1.5, colour=DATA)]
    if len(median) > 1:
        marks.append(Shape(points=median, stroke=DATA_PALE, width=1.3, round_ends=True))
    slow = [(at, ms) for at, ms in reduced.worst if _length(frame, at, ms) >= _DRAWN_AS_SEGMENT]
    every = -(-len(slow) // _SEGMENTS_MOST) or 1
    marks.append(_as_segments(frame, slow[::every], DATA, 0.5))
    return marks


def single_ios(frame: Frame, ios: list[Io]) -> list[Mark]:
    """Return each I/O as a segment from due to done with a dot where it was due."""
    pairs = [(io.due_ms, io.latency_ms) for io in ios]
    dots = tuple((frame.x.place(at), frame.y.place(ms)) for at, ms in pairs)
    return [_as_segments(frame, pairs, DATA, 0.45), Dots(points=dots, diameter=1.7, colour=DATA)]


def failures(frame: Frame, failed: tuple[Io, ...] | list[Io]) -> list[Mark]:
    """Return a small cross where an I/O failed, was never sent or never came back."""
    arm = 1.7
    lines: list[tuple[float, float, float, float]] = []
    for io in failed:
        x, y = frame.x.place(io.due_ms), frame.y.place(max(io.latency_ms, 10.0**frame.y.low))
        lines.append((x - arm, y - arm, x + arm, y + arm))
        lines.append((x - arm, y + arm, x + arm, y - arm))
    return [Segments(lines=tuple(lines), colour=FAIL_FILL, width=0.9)]


def dots_in(marks: list[Mark]) -> list[Point]:
    """Return the centres of all dots among *marks*, and of segments as short as a dot."""
    dots = [point for mark in marks if isinstance(mark, Dots) for point in mark.points]
    short = [
        ((x0 + x1) / 2, (y0 + y1) / 2)
        for mark in marks
        if isinstance(mark, Segments)
        for x0, y0, x1, y1 in mark.lines
        if x1 - x0 < _DRAWN_AS_SEGMENT
    ]
    return dots + short


def segments_in(marks: list[Mark]) -> list[Line]:
    """Return the segments among *marks* that are long enough to be in the way of a word."""
    lines = [(mark, line) for mark in marks if isinstance(mark, Segments) for line in mark.lines]
    return [
        Line(x0=x0, y0=y0, x1=x1, y1=y1, colour=mark.colour, width=mark.width)
        for mark, (x0, y0, x1, y1) in lines
        if x1 - x0 >= _DRAWN_AS_SEGMENT
    ]


def _length(frame: Frame, at: float, ms: float) -> float:
    return frame.x.place(at + ms) - frame.x.place(at)


def _as_segments(
    frame: Frame, pairs: list[tuple[float, float]], colour: str, width: float
) -> Segments:
    lines = tuple(
        (frame.x.place(at), frame.y.place(ms), frame.x.place(at + ms), frame.y.place(ms))
        for at, ms in pairs
    )
    return Segments(lines=lines, colour=colour, width=width)


def _label(text: str, x: float, y: float, colour: str, align: Align) -> Text:
    return Text(x=x, y=y, text=text, font=REGULAR, size=TINY, colour=colour, align=align)
