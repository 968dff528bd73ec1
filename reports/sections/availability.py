"""Availability: the share of time in which I/O was served within t, as a curve and as tables."""

import math
from collections.abc import Sequence

from reports.availability import (
    PHASES,
    SLICE_MS,
    TABLE_MS,
    THRESHOLDS_MS,
    Tally,
    axis_floor,
    total_of,
)
from reports.axes import LinearAxis, LogAxis
from reports.courses import Course
from reports.ink import Align, Line, Mark, Shape, Text
from reports.model import Scenario
from reports.sheet import Sheet
from reports.style import (
    DATA,
    FAULT_TEXT,
    INK,
    LEFT,
    MONO,
    MUTED,
    REGULAR,
    RIGHT,
    RULE,
    SMALL,
    TINY,
    text_width,
)
from reports.table import DENSE, Column, Row, Words, cell, draw_table
from reports.view import View
from reports.words import MISSING, count, duration, fit

_HEIGHT = 170.0
_TICK_LINE = 8.5
_TICK_LINES = 2
_FLOOR_AT_MS = 10.0
_LINES = (
    (PHASES[0], DATA, 0.9, (0.8, 1.8)),
    (PHASES[1], FAULT_TEXT, 1.1, ()),
    (PHASES[2], DATA, 1.1, (4.0, 2.0)),
)
_TOTAL = "whole run"

_SHARE_COLUMNS = (
    Column(title="Within", share=52, align=Align.RIGHT),
    Column(title="of the whole time, %", share=84, align=Align.RIGHT),
    Column(title=f"{PHASES[0]}, %", share=84, align=Align.RIGHT),
    Column(title=f"{PHASES[1]}, %", share=84, align=Align.RIGHT),
    Column(title=f"{PHASES[2]}, %", share=84, align=Align.RIGHT),
    Column(title="of all I/Os, %", share=90, align=Align.RIGHT),
)
_SCENARIO_COLUMNS = (
    Column(title="Id", share=34),
    Column(title="Scenario", share=150),
    Column(title="rep.", share=24, align=Align.RIGHT),
    Column(title="time recorded, s", share=60, align=Align.RIGHT),
    Column(title="not within 100 ms: before, s", share=70, align=Align.RIGHT),
    Column(title="while broken, s", share=50, align=Align.RIGHT),
    Column(title="after mending, s", share=52, align=Align.RIGHT),
    Column(title="not within 1 s, s", share=50, align=Align.RIGHT),
)


def draw_availability(sheet: Sheet, view: View, courses: Sequence[Course]) -> None:
    """Draw the page on availability; nothing where nothing was recorded."""
    counted = [one for one in courses if one.scenario.plan.outage is None]
    if not counted:
        return
    phases = {name: _total(counted, name) for name in PHASES}
    whole = total_of(phases.values())
    sheet.chapter(
        "Availability",
        anchor="availability",
        subtitle="The share of time in which every I/O of the application was served within t. "
        "Time is counted in tenths of a second; one slow I/O costs the whole tenth, a failed one "
        "at any t.",
    )
    _draw_curve(sheet, view, phases, whole)
    _draw_shares(sheet, phases, whole)
    _draw_scenarios(sheet, counted)
    _draw_remarks(sheet, view, courses)


def _total(courses: Sequence[Course], phase: str) -> Tally:
    return total_of(one.tallies[phase] for one in courses if phase in one.tallies)


def _draw_curve(sheet: Sheet, view: View, phases: dict[str, Tally], whole: Tally) -> None:
    shown = {name: tally for name, tally in phases.items() if tally.slices}
    low = axis_floor(
        share
        for tally in (*shown.values(), whole)
        if (share := tally.share_of_time(_FLOOR_AT_MS)) is not None
    )
    note = "the axis begins at 0 %" if not low else f"the axis begins at {100 * low:g} %, not at 0"
    sheet.need(_HEIGHT + 70)
    sheet.heading("Share of time served within t", note=note)
    top = sheet.y + 16
    x = LogAxis(low=0, high=_last_decade(whole), start=LEFT + 34, end=RIGHT)
    y = LinearAxis(low=100 * low, high=100.0, start=top + _HEIGHT, end=top)
    sheet.add(*_legend(list(shown), top - 7), *_grid(x, y))
    for name, colour, width, dash in _LINES:
        if name in shown:
            sheet.add(*_curve(shown[name], x, y, colour=colour, width=width, dash=dash))
    sheet.add(*_curve(whole, x, y, colour=INK, width=1.7, dash=()))
    sheet.y = top + _HEIGHT + 14
    _draw_ticks(sheet, [one for one in view.faults if one.plan.outage is None], x)
    sheet.gap(4)


def _last_decade(whole: Tally) -> int:
    """Return the exponent of the power of ten within which all that ended well had ended."""
    full = whole.slices_within[-1]
    last = next(ms for ms, n in zip(THRESHOLDS_MS, whole.slices_within, strict=True) if n >= full)
    return max(3, math.ceil(math.log10(last) + 1e-9))


def _legend(phases: list[str], y: float) -> list[Mark]:
    marks: list[Mark] = []
    x = LEFT + 34.0
    for name, colour, width, dash in (*_LINES, (_TOTAL, INK, 1.7, ())):
        if name != _TOTAL and name not in phases:
            continue
        marks += [
            Line(x0=x, y0=y - 2, x1=x + 20, y1=y - 2, colour=colour, width=width, dash=dash),
            Text(x=x + 24, y=y, text=name, font=REGULAR, size=TINY, colour=INK),
        ]
        x += 40 + text_width(name, REGULAR, TINY)
    return marks


def _grid(x: LogAxis, y: LinearAxis) -> list[Mark]:
    marks: list[Mark] = []
    for percent in y.ticks(6):
        at = y.place(percent)
        marks += [
            Line(x0=x.start, y0=at, x1=x.end, y1=at, colour=RULE, width=0.4),
            _word(f"{percent:g} %", x.start - 4, at + 2.2, Align.RIGHT),
        ]
    for ms in x.ticks():
        at = x.place(ms)
        align = Align.RIGHT if ms == x.ticks()[-1] else Align.CENTRE
        marks += [
            Line(x0=at, y0=y.end, x1=at, y1=y.start + 2.5, colour=RULE, width=0.4),
            _word(_time(ms), at, y.start + 10, align),
        ]
    return marks


def _time(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def _curve(
    tally: Tally, x: LogAxis, y: LinearAxis, *, colour: str, width: float, dash: tuple[float, ...]
) -> list[Mark]:
    """Return the steps of one curve, from where it enters the chart."""
    points: list[tuple[float, float]] = []
    for ms, within in zip(THRESHOLDS_MS, tally.slices_within, strict=True):
        percent = 100 * within / tally.slices
        if percent < y.low or ms > 10**x.high:
            continue
        at, level = x.place(ms), y.place(percent)
        points += [(at, points[-1][1] if points else y.start), (at, level)]
    if not points:
        return []
    points.append((x.end, points[-1][1]))
    return [Shape(points=tuple(points), stroke=colour, width=width, dash=dash)]


def _draw_ticks(sheet: Sheet, faults: Sequence[Scenario], x: LogAxis) -> None:
    """Draw a tick with its id at the worst stall of each fault; names only where there is room."""
    y = sheet.y + 4
    sheet.add(_word("stalls", x.start - 4, y + 7, Align.RIGHT))
    free = [x.start] * _TICK_LINES
    for ms, name in sorted(_worst(one) for one in faults if one.failover.measured_ms):
        at = x.place(ms)
        sheet.add(Line(x0=at, y0=y - 4, x1=at, y1=y, colour=INK, width=0.6))
        name = fit(name, MONO, TINY, 60)
        width = text_width(name, MONO, TINY)
        left = min(max(at - width / 2, x.start), x.end - width)
        line = next((i for i, begin in enumerate(free) if left >= begin), None)
        if line is not None:
            text = Text(
                x=left, y=y + 7 + line * _TICK_LINE, text=name, font=MONO, size=TINY, colour=INK
            )
            sheet.add(text)
            free[line] = left + width + 4
    sheet.y = y + 7 + _TICK_LINES * _TICK_LINE


def _worst(one: Scenario) -> tuple[float, str]:
    return max(one.failover.worst_ms or 0.0, one.failback.worst_ms or 0.0), one.plan.id


def _word(text: str, x: float, y: float, align: Align) -> Text:
    return Text(x=x, y=y, text=text, font=REGULAR, size=TINY, colour=MUTED, align=align)


def _draw_shares(sheet: Sheet, phases: dict[str, Tally], whole: Tally) -> None:
    sheet.heading("In figures", note="rounded down, so 100 is all")
    rows = [
        (
            cell(duration(ms), font=MONO),
            cell(percent(whole.share_of_time(ms)), font=MONO),
            *(cell(percent(phases[name].share_of_time(ms)), font=MONO) for name in PHASES),
            cell(percent(whole.share_of_ios(ms)), font=MONO),
        )
        for ms in TABLE_MS
    ]
    draw_table(sheet, _SHARE_COLUMNS, rows, pad=DENSE)


def percent(share: float | None) -> str:
    """Return a share in percent with three decimals, never rounded up to all: 99.999, 100."""
    if share is None:
        return MISSING
    if share >= 1:
        return "100"
    return f"{math.floor(share * 1e5) / 1e3:.3f}"


def _draw_scenarios(sheet: Sheet, courses: Sequence[Course]) -> None:
    sheet.heading("Time without service, by scenario", note="all repeats together")
    groups: dict[str, list[Course]] = {}
    for one in courses:
        groups.setdefault(one.scenario.anchor, []).append(one)
    rows = [_scenario(own) for own in groups.values()]
    draw_table(sheet, _SCENARIO_COLUMNS, rows, pad=DENSE)


def _scenario(own: Sequence[Course]) -> Row:
    plan = own[0].scenario.plan
    whole = total_of(tally for one in own for tally in one.tallies.values())
    return (
        Words(text=plan.id, font=MONO, colour=MUTED, goes_to=own[0].scenario.anchor, max_lines=1),
        Words(text=plan.title, max_lines=1),
        cell(str(len(own)), font=MONO),
        cell(f"{whole.slices * SLICE_MS / 1000:.1f}", font=MONO),
        *(cell(_beyond(_total(own, name), 100.0), font=MONO) for name in PHASES),
        cell(_beyond(whole, 1000.0), font=MONO),
    )


def _beyond(tally: Tally, ms: float) -> str:
    """Return the seconds in which not all was served within *ms*."""
    if not tally.slices:
        return MISSING
    slices = tally.slices - tally.slices_within[THRESHOLDS_MS.index(ms)]
    return f"{slices * SLICE_MS / 1000:.1f}"


def _draw_remarks(sheet: Sheet, view: View, courses: Sequence[Course]) -> None:
    remarks = [
        "A run breaks something most of the time, so these shares say nothing of a year in "
        "service; they say how much of the time in trouble was served."
    ]
    outages = sorted({one.scenario.plan.id for one in courses if one.scenario.plan.outage})
    if outages:
        shown = ", ".join(outages[:12])
        if len(outages) > 12:
            shown += f" and {count(len(outages) - 12)} more"
        remarks.append(f"Not counted, for in them nothing can serve: {shown}.")
    if view.run.run.times_indicative:
        remarks.append("An emulated CPU took the times, so they are indicative only.")
    for text in remarks:
        sheet.paragraph(text, size=SMALL, colour=MUTED)
