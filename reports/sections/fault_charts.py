"""The charts of a fault page: the whole course, the path lanes beneath, both stalls enlarged."""

from dataclasses import dataclass

from reports import timeline
from reports.axes import LinearAxis, LogAxis
from reports.chronology import Lane
from reports.ink import Align, Text
from reports.lanes import LANE_HEIGHT, draw_lanes
from reports.series import IoTable, Reduced, reduce_io
from reports.sheet import HEADING_HEIGHT, Sheet
from reports.style import (
    LEFT,
    MONO,
    MUTED,
    REGULAR,
    RIGHT,
    TINY,
    WIDTH,
    text_width,
)
from reports.timeline import Frame, StallMark
from reports.words import plural

_COLUMNS = 560
_AXIS = 13.0  # figures of the time axis
_HEAD = HEADING_HEIGHT + 5.0  # heading above a chart
_ZOOM = 72.0
_LANES_MOST = 8
_MAIN_LEAST = 100.0
_MAIN_MOST = 200.0
_GUTTER = 18.0
_ZOOM_BELOW = 8.0  # a stall below one part in so many of the time shown is enlarged


@dataclass(frozen=True, slots=True, kw_only=True)
class Charts:
    """What the charts of one repeat show."""

    table: IoTable
    start_ms: float
    end_ms: float
    fault: tuple[float, float] | None
    stalls: list[StallMark]
    floor_ms: float | None
    lanes: list[Lane]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heights:
    """How high the main chart is and whether there is room for the enlarged stalls."""

    main: float
    zoom: bool


def _lanes_height(charts: Charts) -> float:
    more = 9.0 if len(charts.lanes) > _LANES_MOST else 0.0
    return min(len(charts.lanes), _LANES_MOST) * LANE_HEIGHT + more + 12


def charts_height(charts: Charts, *, room: float) -> Heights:
    """Share *room* points between the charts; the enlarged stalls go first where it is short."""
    fixed = _HEAD + _AXIS + _lanes_height(charts)
    zoom = _HEAD + _ZOOM + _AXIS + 4
    if _enlarged(charts) and room - fixed - zoom >= _MAIN_LEAST:
        return Heights(main=min(room - fixed - zoom, _MAIN_MOST), zoom=True)
    return Heights(main=min(max(room - fixed, _MAIN_LEAST), _MAIN_MOST), zoom=False)


def _enlarged(charts: Charts) -> list[StallMark]:
    """Return the stalls that are too short to be read in the whole course."""
    if charts.fault is None:
        return []
    width = (charts.end_ms - charts.start_ms) / _ZOOM_BELOW
    return [stall for stall in charts.stalls if stall.io and stall.io.latency_ms < width][:2]


def draw_charts(sheet: Sheet, charts: Charts, *, height: Heights) -> None:
    """Draw all charts of the page."""
    reduced = reduce_io(
        charts.table, columns=_COLUMNS, start_ms=charts.start_ms, end_ms=charts.end_ms
    )
    _draw_main(sheet, charts, reduced, height.main)
    if height.zoom:
        _draw_zooms(sheet, charts, reduced)


def _label_width(charts: Charts) -> float:
    widths = [text_width(lane.path, MONO, TINY) for lane in charts.lanes[:_LANES_MOST]]
    return min(max([28.0, *widths]), 92.0) + 6


def _draw_main(sheet: Sheet, charts: Charts, reduced: Reduced, height: float) -> None:
    note = (
        f"{plural(reduced.count, 'I/O')} · dot = slowest of each point in time · line = median · "
        "cross = failed"
    )
    sheet.heading("Latency of every I/O, from the time it was due", note=note)
    top = sheet.y + 5
    low, high = timeline.latency_range(reduced, charts.stalls)
    frame = Frame(
        x=LinearAxis(
            low=charts.start_ms,
            high=charts.end_ms,
            start=LEFT + _label_width(charts),
            end=RIGHT,
        ),
        y=LogAxis(low=low, high=high, start=top + height, end=top),
    )
    if charts.fault:
        sheet.add(timeline.fault_band(frame, start_ms=charts.fault[0], end_ms=charts.fault[1]))
    sheet.add(*timeline.stall_bands(frame, charts.stalls))
    if charts.fault:
        sheet.add(*timeline.fault_edge(frame, start_ms=charts.fault[0], end_ms=charts.fault[1]))
    sheet.add(*timeline.grid(frame, unit="ms"))
    sheet.add(*timeline.noise_line(frame, charts.floor_ms))
    sheet.add(*timeline.points(frame, reduced))
    sheet.add(*timeline.failures(frame, reduced.failed))
    sheet.add(*timeline.limit_lines(frame, charts.stalls))
    sheet.add(*timeline.stall_labels(frame, charts.stalls))
    sheet.add(*timeline.time_axis(frame, most=10, y=top + height + 9))
    sheet.y = top + height + _AXIS
    _draw_lanes(sheet, charts, reduced, frame)


def _draw_lanes(sheet: Sheet, charts: Charts, reduced: Reduced, frame: Frame) -> None:
    shown = charts.lanes
    if len(shown) > _LANES_MOST:
        changed = [lane for lane in charts.lanes if len(lane.spans) > 1]
        steady = [lane for lane in charts.lanes if len(lane.spans) <= 1]
        shown = (changed + steady)[:_LANES_MOST]
    top = sheet.y + 2
    sheet.add(*draw_lanes(shown, reduced.path_errors, frame.x, top=top, label_left=LEFT))
    sheet.y = top + len(shown) * LANE_HEIGHT
    if len(shown) < len(charts.lanes):
        sheet.y += 7
        rest = plural(len(charts.lanes) - len(shown), "more path")
        sheet.line_of(rest, size=TINY, colour=MUTED, x=frame.left)
    if any(lane.path in reduced.path_errors for lane in shown):
        sheet.y += 6
        note = "orange line below a path: its own probe failed"
        sheet.add(
            Text(
                x=RIGHT,
                y=sheet.y,
                text=note,
                font=REGULAR,
                size=TINY,
                colour=MUTED,
                align=Align.RIGHT,
            )
        )
    sheet.y += 2


def _draw_zooms(sheet: Sheet, charts: Charts, reduced: Reduced) -> None:
    stalls = _enlarged(charts)
    width = (WIDTH - _GUTTER) / 2 if len(stalls) > 1 else WIDTH
    low, high = timeline.latency_range(reduced, charts.stalls)
    sheet.heading(
        "The stalls enlarged" if len(stalls) > 1 else f"The {stalls[0].title} enlarged",
        note="each I/O is a segment from the time it was due until done",
    )
    top = sheet.y + 5
    for index, stall in enumerate(stalls):
        left = LEFT + index * (width + _GUTTER)
        axis = _zoom_axis(stall, left=left + 38, right=left + width)
        frame = Frame(x=axis, y=LogAxis(low=low, high=high, start=top + _ZOOM, end=top))
        _draw_zoom(sheet, charts, stall, frame)
    sheet.y = top + _ZOOM + _AXIS


def _zoom_axis(stall: StallMark, *, left: float, right: float) -> LinearAxis:
    assert stall.io is not None  # noqa: S101 - the caller filtered
    length = max(stall.io.latency_ms, 20.0)
    begin = stall.io.due_ms - 0.35 * length
    if 0 <= stall.io.due_ms < 1.5 * length:
        begin = min(begin, -0.28 * length)
    return LinearAxis(low=begin, high=stall.io.end_ms + 0.75 * length, start=left, end=right)


def _draw_zoom(sheet: Sheet, charts: Charts, stall: StallMark, frame: Frame) -> None:
    ios = charts.table.between(start_ms=frame.x.low, end_ms=frame.x.high, limit=400)
    sheet.add(*timeline.stall_bands(frame, [stall]))
    sheet.add(*timeline.grid(frame, unit="ms"))
    if charts.fault:
        for at, word in zip(charts.fault, ("injected", "mended"), strict=True):
            sheet.add(*timeline.moment_line(frame, at_ms=at, word=word))
    sheet.add(*timeline.single_ios(frame, ios))
    sheet.add(*timeline.failures(frame, [io for io in ios if io.outcome != "good"]))
    sheet.add(*timeline.limit_lines(frame, [stall]))
    sheet.add(*timeline.stall_labels(frame, [stall], low=True))
    sheet.add(*timeline.time_axis(frame, most=5, y=frame.bottom + 9))
