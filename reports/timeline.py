"""The latency timeline: every pixel column's worst I/O, the fault, the stalls, the limit."""

from dataclasses import dataclass

from reports.axes import LinearAxis, LogAxis, exponents_around, tick_latency, tick_time
from reports.ink import Align, Box, Dots, Line, Mark, Segments, Shape, Text
from reports.series import Io, Reduced
from reports.style import (
    BOLD,
    DATA,
    DATA_PALE,
    FAIL_FILL,
    FAIL_TEXT,
    FAULT_BAND,
    FAULT_TEXT,
    HEADING,
    INK,
    LEAD,
    MUTED,
    REGULAR,
    RULE,
    STALL_BAND,
    TINY,
    text_width,
)
from reports.words import duration

_WIDE_ENOUGH = 64.0  # points that a stall band must have to carry its own label
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


def fault_edge(frame: Frame, *, start_ms: float, end_ms: float) -> list[Mark]:
    """Return the line at the injection and, where there is room, what the band means."""
    left, right = frame.x.place(start_ms), frame.x.place(end_ms)
    label = "fault active"
    edge = Line(x0=left, y0=frame.top, x1=left, y1=frame.bottom, colour=FAULT_TEXT, width=0.6)
    if right - left < text_width(label, REGULAR, TINY) + 8:
        return [edge]
    return [edge, _label(label, left + 4, frame.bottom - 4, FAULT_TEXT, Align.LEFT)]


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


def limit_lines(frame: Frame, stalls: list[StallMark]) -> list[Mark]:
    """Return a dashed line at each limit; one line where they are equal."""
    limits: dict[float, str] = {}
    for stall in stalls:
        if stall.limit_ms > 0:
            names = limits.get(stall.limit_ms)
            limits[stall.limit_ms] = f"{names}, {stall.name}" if names else stall.name
    marks: list[Mark] = []
    for ms, names in sorted(limits.items()):
        y = frame.y.place(ms)
        marks.append(
            Line(x0=frame.left, y0=y, x1=frame.right, y1=y, colour=INK, width=0.9, dash=(4, 2.5))
        )
        label = f"limit {duration(ms)}" + ("" if len(limits) == 1 else f" ({names})")
        marks.append(
            Text(
                x=frame.right - 3,
                y=y - 3,
                text=label,
                font=BOLD,
                size=TINY,
                colour=INK,
                align=Align.RIGHT,
            )
        )
    return marks


def noise_line(frame: Frame, floor_ms: float | None) -> list[Mark]:
    """Return a dotted line at the worst I/O of the control disk."""
    if floor_ms is None or not 10.0**frame.y.low <= floor_ms <= 10.0**frame.y.high:
        return []
    y = frame.y.place(floor_ms)
    label = f"noise floor {duration(floor_ms)}"
    return [
        Line(x0=frame.left, y0=y, x1=frame.right, y1=y, colour=MUTED, width=0.7, dash=(0.8, 1.8)),
        _label(label, frame.right - 3, y - 2.5, MUTED, Align.RIGHT),
    ]


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


def stall_labels(frame: Frame, stalls: list[StallMark], *, low: bool = False) -> list[Mark]:
    """Return the length of each stall: inside its band where that is wide, else beside it.

    *low* puts it in the lower left corner of the band, where I/Os drawn from due to done leave
    room.
    """
    marks: list[Mark] = []
    taken_until = 0.0
    clear = _clear_of_limits(frame, stalls)
    for index, stall in enumerate(s for s in stalls if s.io):
        assert stall.io is not None  # noqa: S101 - filtered above
        left, right = frame.x.place(stall.io.due_ms), frame.x.place(stall.io.end_ms)
        colour = FAIL_TEXT if stall.beyond else INK
        title, value = stall.title, duration(stall.ms)
        if low and right - left >= _WIDE_ENOUGH:
            marks.append(_label(title, left + 6, frame.bottom - 22, colour, Align.LEFT))
            marks.append(_large(value, left + 6, frame.bottom - 7, colour, Align.LEFT, HEADING))
            continue
        if right - left >= _WIDE_ENOUGH:
            middle, y = (left + right) / 2, (frame.top + frame.bottom) / 2
            marks.append(_label(title, middle, y, colour, Align.CENTRE))
            marks.append(_large(value, middle, y + 15, colour, Align.CENTRE, HEADING))
            continue
        width = max(text_width(title, REGULAR, TINY), text_width(value, BOLD, LEAD))
        flip = right + 5 + width > frame.right
        x, align = (left - 4, Align.RIGHT) if flip else (right + 4, Align.LEFT)
        top = clear + (24 if index and left < taken_until else 0)
        taken_until = x + width + 6
        marks.append(_label(title, x, top, colour, align))
        marks.append(_large(value, x, top + 11, colour, align, LEAD))
    return marks


def moment_line(frame: Frame, *, at_ms: float, word: str) -> list[Mark]:
    """Return a line at a moment, its name on the side where there is room."""
    if not frame.x.low < at_ms < frame.x.high:
        return []
    x = frame.x.place(at_ms)
    line = Line(x0=x, y0=frame.top, x1=x, y1=frame.bottom, colour=FAULT_TEXT, width=0.7)
    needed = text_width(word, REGULAR, TINY) + 5
    if x - frame.left >= needed:
        return [line, _label(word, x - 2.5, frame.bottom - 4, FAULT_TEXT, Align.RIGHT)]
    if frame.right - x >= needed:
        return [line, _label(word, x + 2.5, frame.bottom - 4, FAULT_TEXT, Align.LEFT)]
    return [line]


def _clear_of_limits(frame: Frame, stalls: list[StallMark]) -> float:
    """Return the first baseline from the top at which two lines of text cross no limit line."""
    baseline = frame.top + 11
    for y in sorted(frame.y.place(s.limit_ms) for s in stalls if s.limit_ms > 0):
        if baseline - 8 < y < baseline + 15:
            baseline = y + 10
    return baseline


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


def _large(text: str, x: float, y: float, colour: str, align: Align, size: float) -> Text:
    return Text(x=x, y=y, text=text, font=BOLD, size=size, colour=colour, align=align)
