"""The picture of a counterexample: the operations that show that data was wrong, as bars.

One row per operation, those of a probe together. Along the axis are the moments at which an
operation was sent or ended, in their order and at equal distances: a violation is a matter of what
came before what, and the write may have been minutes before the read.
"""

from dataclasses import dataclass

from reports.axes import LinearAxis
from reports.ink import Align, Box, Line, Mark, Shape, Text
from reports.language.speech import say
from reports.record import Counterexample, CounterexampleOperation
from reports.sheet import Sheet
from reports.style import (
    BOLD,
    DATA,
    DATA_PALE,
    FAIL_FILL,
    FAIL_TEXT,
    INK,
    LEADING,
    LEFT,
    MONO,
    MUTED,
    REGULAR,
    RIGHT,
    RULE,
    SMALL,
    TINY,
    WIDTH,
    text_width,
)
from reports.words import duration, fit, plural, wrap

ROW_HEIGHT = 15.0
_BAR = 8.0
_LABELS = 104.0
_TICKS = 22.0  # two lines of figures, taking turns, below the rows
_PAD = 4.0
_STEP_MOST = 96.0  # points from one moment to the next
_NS_PER_MS = 1e6
OPERATIONS_MAX = 8
NOTE = "time not to scale: only the order matters"
TITLES = {
    "lost": "Lost write",
    "stale": "Stale read",
    "torn": "Torn write",
    "misplaced": "Misplaced sector",
    "corrupt": "Corrupt sector",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chart:
    """Where the moments of a counterexample are on the page."""

    moments: tuple[int, ...]  # ns, ascending
    axis: LinearAxis

    def place(self, t_ns: int) -> float:
        """Return where a moment is; the right edge for what never ended."""
        if t_ns < 0:
            return self.axis.end
        return self.axis.place(self.moments.index(t_ns))


def draw_counterexample(sheet: Sheet, example: Counterexample, *, scenario: str) -> None:
    """Draw one counterexample with its sentence; *scenario* says where it was found."""
    operations = _in_rows(example.operations)
    lines = wrap(example.sentence, REGULAR, SMALL, WIDTH)
    height = len(operations) * ROW_HEIGHT + _TICKS + (len(lines) + 1) * SMALL * LEADING
    title = f"{TITLES.get(example.kind, example.kind)}, {scenario}, LBA {example.lba}"
    if example.blocks > 1:
        title += f" ({plural(example.blocks, 'sector')})"
    sheet.heading(title, note=NOTE, keep=height)
    chart = _chart_of(operations)
    top = sheet.y + _PAD
    bottom = top + len(operations) * ROW_HEIGHT
    sheet.add(*_ticks(chart, top, bottom))
    for index, one in enumerate(operations):
        first = index == 0 or operations[index - 1].probe != one.probe
        sheet.add(*_row(chart, one, top + index * ROW_HEIGHT, named=first))
    sheet.y = bottom + _TICKS
    sheet.paragraph(example.sentence, size=SMALL)
    sheet.gap(4)


def _in_rows(operations: list[CounterexampleOperation]) -> list[CounterexampleOperation]:
    """Return the operations probe by probe, the first probe first."""
    shown = operations[:OPERATIONS_MAX]
    begun: dict[str, int] = {}
    for one in shown:
        begun[one.probe] = min(one.sent_ns, begun.get(one.probe, one.sent_ns))
    return sorted(shown, key=lambda one: (begun[one.probe], one.probe, one.sent_ns))


def _chart_of(operations: list[CounterexampleOperation]) -> _Chart:
    times = {t for one in operations for t in (one.sent_ns, one.done_ns) if t >= 0}
    open_end = any(one.done_ns < 0 for one in operations)
    steps = max(len(times) - 1 + (0.7 if open_end else 0.0), 1.0)
    start = LEFT + _LABELS
    end = min(start + steps * _STEP_MOST, RIGHT - 14)
    axis = LinearAxis(low=0.0, high=steps, start=start, end=end)
    return _Chart(moments=tuple(sorted(times)), axis=axis)


def _ticks(chart: _Chart, top: float, bottom: float) -> list[Mark]:
    """Return a line per moment, with the time since the first beneath it."""
    marks: list[Mark] = []
    for index, moment in enumerate(chart.moments):
        x = chart.place(moment)
        marks.append(Line(x0=x, y0=top, x1=x, y1=bottom, colour=RULE, width=0.4))
        since = duration((moment - chart.moments[0]) / _NS_PER_MS)
        marks.append(
            Text(
                x=x,
                y=bottom + 8 + (index % 2) * 8,
                text="0" if index == 0 else f"+{since}",
                font=REGULAR,
                size=TINY,
                colour=MUTED,
                align=Align.CENTRE,
            )
        )
    return marks


def _row(chart: _Chart, one: CounterexampleOperation, top: float, *, named: bool) -> list[Mark]:
    left, right = chart.place(one.sent_ns), chart.place(one.done_ns)
    width = max(right - left, 1.2)
    y = top + (ROW_HEIGHT - _BAR) / 2
    fill, colour = _colours(one)
    marks: list[Mark] = []
    if named:
        name = fit(one.probe, MONO, TINY, _LABELS - 12)
        marks.append(Text(x=LEFT, y=y + _BAR - 1.6, text=name, font=MONO, size=TINY, colour=INK))
    if one.done_ns >= 0:
        marks.append(Box(x=left, y=y, width=width, height=_BAR, fill=fill, radius=1.0))
    else:
        marks += _open_bar(left, right, y, fill)
    return [*marks, _words(one, left, left + width, y + _BAR - 1.8, colour, chart.axis)]


def _colours(one: CounterexampleOperation) -> tuple[str, str]:
    if one.offending:
        return FAIL_FILL, FAIL_TEXT
    return (DATA if one.op == "write" else DATA_PALE), INK


def _open_bar(left: float, right: float, y: float, colour: str) -> list[Mark]:
    """Return the outline of a bar without an end, for a write that nobody acknowledged."""
    tip = min(_BAR / 2, right - left)
    points = (
        (right - tip, y),
        (left, y),
        (left, y + _BAR),
        (right - tip, y + _BAR),
        (right, y + _BAR / 2),
        (right - tip, y),
    )
    return [Shape(points=points, stroke=colour, width=0.8, dash=(2.0, 1.5))]


def _words(
    one: CounterexampleOperation,
    left: float,
    right: float,
    baseline: float,
    colour: str,
    axis: LinearAxis,
) -> Text:
    """Return what the operation did: right of its bar, or left of it, wherever more room is."""
    did = "wrote" if one.op == "write" else "returned"
    end = ", never acknowledged" if one.done_ns < 0 else ", wrong" if one.offending else ""
    font = BOLD if one.offending else REGULAR
    text = say(f"#{one.k} {did} {one.value}{end}")
    after, before = RIGHT - right - 6, left - axis.start - 4
    room = max(after, before)
    inside = text_width(text, font, TINY) + 6 <= right - left
    if room < text_width(text, font, TINY) and inside and one.done_ns < 0:
        return Text(x=left + 3, y=baseline, text=text, font=font, size=TINY, colour=INK)
    if after >= before or after >= text_width(text, font, TINY):
        text = fit(text, font, TINY, after)
        return Text(x=right + 4, y=baseline, text=text, font=font, size=TINY, colour=colour)
    text = fit(text, font, TINY, before)
    return Text(
        x=left - 4, y=baseline, text=text, font=font, size=TINY, colour=colour, align=Align.RIGHT
    )
