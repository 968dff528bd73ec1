"""The charts of a fault page: the whole course, the path lanes beneath, both stalls enlarged."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports import labels, timeline
from reports.axes import LinearAxis, LogAxis, exponents_around
from reports.chronology import Lane
from reports.ink import Align, Text
from reports.labels import Labels
from reports.lanes import LANE_HEIGHT, draw_lanes
from reports.record import IoOutcome
from reports.series import Io, IoTable, Reduced, reduce_io
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
_ZOOM = 62.0
_MAIN_LEAST = 84.0
_MAIN_MOST = 200.0
_GUTTER = 18.0
_ZOOM_IOS = 1500  # drawn one by one; beyond that the slowest
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
    lanes_most: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Heights:
    """How high the main chart is and whether there is room for the enlarged stalls."""

    main: float
    zoom: bool
    whole: bool  # nothing had to be left out


def _lanes_height(charts: Charts) -> float:
    more = 9.0 if len(charts.lanes) > charts.lanes_most else 0.0
    return min(len(charts.lanes), charts.lanes_most) * LANE_HEIGHT + more + 12


def charts_height(charts: Charts, *, room: float) -> Heights:
    """Share *room* points between the charts; the enlarged stalls go first where it is short."""
    fixed = _HEAD + _AXIS + _lanes_height(charts)
    zoom = _HEAD + _ZOOM + _AXIS + 4
    wanted = bool(_enlarged(charts))
    if wanted and room - fixed - zoom >= _MAIN_LEAST:
        return Heights(main=min(room - fixed - zoom, _MAIN_MOST), zoom=True, whole=True)
    main = min(max(room - fixed, _MAIN_LEAST), _MAIN_MOST)
    return Heights(main=main, zoom=False, whole=not wanted and room - fixed >= _MAIN_LEAST)


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
        _draw_zooms(sheet, charts)


def _label_width(charts: Charts) -> float:
    widths = [text_width(lane.path, MONO, TINY) for lane in charts.lanes[: charts.lanes_most]]
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
    sheet.add(*timeline.grid(frame, unit="ms"))
    if charts.fault:
        sheet.add(*timeline.moment_line(frame, charts.fault[0]))
    drawn = timeline.points(frame, reduced)
    sheet.add(*drawn, *timeline.failures(frame, reduced.failed))
    words = _label_levels(sheet, frame, charts.stalls, charts.floor_ms)
    words.lines += timeline.segments_in(drawn)
    words.dots += timeline.dots_in(drawn)
    for stall in charts.stalls:
        words.put(labels.stall_places(frame, stall, low=False), needed=False)
    if charts.fault:
        start, end = charts.fault
        places = labels.band_places(frame, start_ms=start, end_ms=end, words="fault active")
        words.put(places, needed=False)
    sheet.add(*words.placed)
    sheet.add(*timeline.time_axis(frame, most=10, y=top + height + 9))
    sheet.y = top + height + _AXIS
    _draw_lanes(sheet, charts, reduced, frame)


def _label_levels(
    sheet: Sheet, frame: Frame, stalls: list[StallMark], floor_ms: float | None
) -> Labels:
    """Draw limits and noise floor; return their words and the lines that others must not cross."""
    words = Labels(frame=frame)
    limits = timeline.limits_of(stalls)
    for ms, names in limits.items():
        line = timeline.level_line(frame, ms)
        sheet.add(*line)
        words.put(labels.limit_places(frame, ms, names if len(limits) > 1 else ""))
        words.lines += line
    if floor_ms is not None and (line := timeline.level_line(frame, floor_ms, noise=True)):
        sheet.add(*line)
        words.put(labels.noise_places(frame, floor_ms), needed=False)
    return words


def _draw_lanes(sheet: Sheet, charts: Charts, reduced: Reduced, frame: Frame) -> None:
    shown = charts.lanes
    if len(shown) > charts.lanes_most:
        changed = [lane for lane in charts.lanes if len(lane.spans) > 1]
        steady = [lane for lane in charts.lanes if len(lane.spans) <= 1]
        shown = (changed + steady)[: charts.lanes_most]
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


def _draw_zooms(sheet: Sheet, charts: Charts) -> None:
    stalls = _enlarged(charts)
    width = (WIDTH - _GUTTER) / 2 if len(stalls) > 1 else WIDTH
    sheet.heading(
        "The stalls enlarged" if len(stalls) > 1 else f"The {stalls[0].title} enlarged",
        note="each I/O is a segment from the time it was due until done",
    )
    top = sheet.y + 5
    for index, stall in enumerate(stalls):
        left = LEFT + index * (width + _GUTTER)
        axis = _zoom_axis(stall, charts.fault or (), left=left + 38, right=left + width)
        ios = charts.table.between(start_ms=axis.low, end_ms=axis.high, limit=_ZOOM_IOS)
        low, high = exponents_around([stall.limit_ms * 1.3, *(io.latency_ms for io in ios)])
        frame = Frame(x=axis, y=LogAxis(low=low, high=high, start=top + _ZOOM, end=top))
        _draw_zoom(sheet, charts, stall, frame, ios)
    sheet.y = top + _ZOOM + _AXIS


def _zoom_axis(
    stall: StallMark, moments: Sequence[float], *, left: float, right: float
) -> LinearAxis:
    """Return the time around a stall, with the injection or the mend if it was shortly before."""
    due_ms, latency_ms = (stall.io.due_ms, stall.io.latency_ms) if stall.io else (0.0, 0.0)
    length = max(latency_ms, 20.0)
    before = [at for at in moments if 0 <= due_ms - at < 1.5 * length]
    begin = min([due_ms, *before]) - 0.34 * length
    end = due_ms + latency_ms + 0.75 * length
    return LinearAxis(low=begin, high=end, start=left, end=right)


def _draw_zoom(sheet: Sheet, charts: Charts, stall: StallMark, frame: Frame, ios: list[Io]) -> None:
    sheet.add(*timeline.stall_bands(frame, [stall]), *timeline.grid(frame, unit="ms"))
    drawn = timeline.single_ios(frame, ios)
    failed = [io for io in ios if io.outcome is not IoOutcome.GOOD]
    sheet.add(*drawn, *timeline.failures(frame, failed))
    words = _label_levels(sheet, frame, [stall], None)
    words.lines += timeline.segments_in(drawn)
    words.dots += timeline.dots_in(drawn)
    moments = dict(zip(("injected", "mended"), charts.fault or (), strict=False))
    seen = {word: at for word, at in moments.items() if frame.x.low <= at <= frame.x.high}
    for at in seen.values():
        words.lines += timeline.moment_line(frame, at)
        sheet.add(*timeline.moment_line(frame, at))
    words.put(labels.stall_places(frame, stall, low=True), needed=False)
    for word, at in seen.items():
        words.put(labels.moment_places(frame, at, word), needed=False)
    sheet.add(*words.placed)
    sheet.add(*timeline.time_axis(frame, most=5, y=frame.bottom + 9))
