"""The repeats of every fault as small multiples: the same fault, side by side, on the same axes."""

from collections.abc import Sequence

from reports import emblems, timeline
from reports.axes import LinearAxis, LogAxis, exponents_around
from reports.courses import Course
from reports.ink import Line, Mark, Text
from reports.model import GRAVITY, Scenario
from reports.sheet import Sheet
from reports.style import BOLD, FAIL_TEXT, INK, LEFT, REGULAR, RULE, TEXT, TINY, WIDTH
from reports.timeline import Frame
from reports.words import duration, fit, plural

_PER_ROW = 3
_MOST = 6
"""Repeats of one scenario that are drawn: the gravest, then the longest stalls."""
_GUTTER = 14.0
_AXIS_LEFT = 42.0
_PANEL = (WIDTH - _AXIS_LEFT - (_PER_ROW - 1) * _GUTTER) / _PER_ROW
_HEIGHT = 52.0
_TITLE = 11.0
_TIME = 12.0
_ROW = _TITLE + _HEIGHT + _TIME + 3


def draw_repeats(sheet: Sheet, courses: Sequence[Course]) -> None:
    """Draw all repeats of the scenarios that were repeated; nothing where none was."""
    groups: dict[str, list[Course]] = {}
    for one in courses:
        groups.setdefault(one.scenario.anchor, []).append(one)
    repeated = [own for own in groups.values() if len(own) > 1]
    if not repeated:
        return
    sheet.chapter(
        "Repeats",
        anchor="repeats",
        subtitle="Each repeat of each fault, on the axes of its scenario. Dot = slowest I/O of "
        "each point in time, cross = failed, dashed = limit, pale = fault active, strong = stall.",
    )
    for own in repeated:
        _draw_scenario(sheet, own)


def _draw_scenario(sheet: Sheet, own: Sequence[Course]) -> None:
    shown = sorted(sorted(own, key=_gravity)[:_MOST], key=lambda one: one.judgement.repeat)
    scenario = own[0].scenario
    sheet.heading(
        f"{scenario.plan.id}  {scenario.plan.title}", note=_note(scenario, own, shown), keep=_ROW
    )
    x, y = _axes_of(own)
    for begin in range(0, len(shown), _PER_ROW):
        sheet.need(_ROW)
        for index, one in enumerate(shown[begin : begin + _PER_ROW]):
            _draw_panel(sheet, one, index, x, y)
        sheet.y += _ROW


def _gravity(one: Course) -> tuple[int, float]:
    judgement = one.judgement
    longest = max(judgement.stall_failover_ms or 0.0, judgement.stall_failback_ms or 0.0)
    return GRAVITY.index(judgement.verdict), -longest


def _note(scenario: Scenario, own: Sequence[Course], shown: Sequence[Course]) -> str:
    parts = [f"failover {_range(scenario.failover.measured_ms)}"]
    parts.append(f"failback {_range(scenario.failback.measured_ms)}")
    text = f"{plural(len(own), 'repeat')}: {', '.join(parts)}"
    if len(shown) < len(own):
        text += f" · the {len(shown)} gravest shown"
    return text


def _range(measured: Sequence[float]) -> str:
    if not measured:
        return duration(None)
    if len(measured) == 1:
        return duration(measured[0])
    return f"{duration(min(measured))} to {duration(max(measured))}"


def _axes_of(own: Sequence[Course]) -> tuple[tuple[float, float], tuple[int, int]]:
    """Return the time and the powers of ten that hold every repeat."""
    start = min(one.start_ms for one in own)
    end = max(one.end_ms for one in own)
    values = [ms for one in own for _, ms in one.reduced.worst]
    values += [stall.limit_ms * 1.3 for one in own for stall in one.stalls]
    low, high = exponents_around(values)
    return (start, end), (max(low, high - 6), high)


def _draw_panel(
    sheet: Sheet, one: Course, index: int, x: tuple[float, float], y: tuple[int, int]
) -> None:
    left = LEFT + _AXIS_LEFT + index * (_PANEL + _GUTTER)
    top = sheet.y + _TITLE
    frame = Frame(
        x=LinearAxis(low=x[0], high=x[1], start=left, end=left + _PANEL),
        y=LogAxis(low=y[0], high=y[1], start=top + _HEIGHT, end=top),
    )
    sheet.add(*_title(one, left, sheet.y + 7.5))
    if one.fault:
        sheet.add(timeline.fault_band(frame, start_ms=one.fault[0], end_ms=one.fault[1]))
    sheet.add(*timeline.stall_bands(frame, one.stalls))
    sheet.add(*(timeline.grid(frame, unit="ms") if index == 0 else _lines(frame)))
    for ms in timeline.limits_of(one.stalls):
        sheet.add(*timeline.level_line(frame, ms))
    sheet.add(*timeline.points(frame, one.reduced))
    sheet.add(*timeline.failures(frame, one.reduced.failed))
    sheet.add(*timeline.time_axis(frame, most=4, y=top + _HEIGHT + 9))


def _title(one: Course, left: float, y: float) -> list[Mark]:
    """Return verdict and stalls of one repeat."""
    judgement = one.judgement
    verdict, scenario = judgement.verdict, one.scenario
    name = f"repeat {judgement.repeat}"
    if judgement is scenario.worst:
        name += ", the worst"
    stalls = f"{duration(judgement.stall_failover_ms)} / {duration(judgement.stall_failback_ms)}"
    beyond = any(stall.beyond for stall in one.stalls)
    sign = emblems.verdict_mark(verdict, x=left, y=y - 5.2, size=5.6, colour=TEXT[verdict])
    from_left = left + 9
    room = _PANEL - 9
    font, colour = (BOLD, FAIL_TEXT) if beyond else (REGULAR, INK)
    text = fit(f"{name}: {stalls}", font, TINY, room)
    return [*sign, Text(x=from_left, y=y, text=text, font=font, size=TINY, colour=colour)]


def _lines(frame: Frame) -> list[Mark]:
    """Return the levels of the latency axis without their figures, as the first panel has them."""
    return [
        Line(
            x0=frame.left,
            y0=frame.y.place(value),
            x1=frame.right,
            y1=frame.y.place(value),
            colour=RULE,
            width=0.4,
        )
        for value in frame.y.ticks()
    ]
