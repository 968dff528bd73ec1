"""What the timeline of a fault draws: the slowest I/Os, lanes and events, small enough to embed.

The slowest I/O of every column is kept, and finer columns are kept where a fault begins and where
it ends, so that a reader who zooms in there still finds single I/Os.
"""

from dataclasses import dataclass
from typing import Any

from reports.chronology import Chronology, lanes_of, load_units, sequence_of
from reports.courses import span_of, stalls_of, table_of
from reports.language.speech import say
from reports.model import Scenario
from reports.record import IoOutcome, ScenarioJudgement
from reports.screen.markup import visible
from reports.series import IoTable, reduce_io
from reports.timeline import StallMark
from reports.view import View

COLUMNS_MOST = 3000
POINTS_MOST = 90_000
"""Of a page; at most about 22 bytes each, so a page stays below 3 MB however long a run was."""
COLUMNS_LEAST = 200
EVENTS_MOST = 60
_NEAR_MS = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenCourse:
    """The repeat of a scenario that the page shows; times in ms after the fault."""

    judgement: ScenarioJudgement
    when: Chronology
    start_ms: float
    end_ms: float
    fault: tuple[float, float] | None
    stalls: list[StallMark]
    points: list[tuple[float, float, int]]  # due, latency, 1 where it did not end GOOD
    spans: dict[str, list[tuple[float, float, str]]]  # path: from, to, state
    errors: dict[str, list[tuple[float, float]]]  # path: its own probe failed
    events: list[tuple[float, str, bool]]  # when, what, whether it is grave
    count: int  # I/Os of the application, of which the points are the slowest
    column_ms: float

    def as_data(self) -> dict[str, Any]:
        """Return what the script of the page draws, with short names."""
        return {
            "start": round(self.start_ms, 3),
            "end": round(self.end_ms, 3),
            "fault": None if self.fault is None else [round(t, 3) for t in self.fault],
            "stalls": [
                [round(one.io.due_ms, 3), round(one.io.end_ms, 3), one.title]
                for one in self.stalls
                if one.io
            ],
            # All due times, then all latencies, then where the failed ones are: shorter than pairs.
            "due": [round(due, 2) for due, _, _ in self.points],
            "took": [round(took, 3) for _, took, _ in self.points],
            "bad": [index for index, (_, _, bad) in enumerate(self.points) if bad],
            "events": [[round(at, 2), words, int(grave)] for at, words, grave in self.events],
            "lanes": [
                {
                    "path": path,
                    "spans": [[round(a, 2), round(b, 2), state] for a, b, state in spans],
                    "errors": [[round(a, 2), round(b, 2)] for a, b in self.errors.get(path, [])],
                }
                for path, spans in self.spans.items()
            ],
        }


def columns_for(charts: int) -> int:
    """Return how many columns each of *charts* timelines may keep."""
    return max(COLUMNS_LEAST, min(COLUMNS_MOST, POINTS_MOST // max(charts, 1)))


def screen_course(view: View, scenario: Scenario, *, columns: int) -> ScreenCourse | None:
    """Reduce the worst repeat of *scenario*; None where nothing was recorded."""
    judgement = scenario.worst
    if judgement is None:
        return None
    when = view.events.chronology(judgement.id, judgement.repeat)
    table = table_of(view, judgement, when) if when else None
    if when is None or table is None:
        return None
    start, end = span_of(table, when)
    stalls = stalls_of(table, scenario, judgement, when)
    wide = max(1, columns // 2)
    whole = reduce_io(table, columns=wide, start_ms=start, end_ms=end)
    lanes = lanes_of(view.events.path_states, view.lab, when, start_ms=start, end_ms=end)
    return ScreenCourse(
        judgement=judgement,
        when=when,
        start_ms=start,
        end_ms=end,
        fault=when.broken(end),
        stalls=stalls,
        points=_points(table, when, stalls, columns=columns, span=(start, end)),
        spans={
            one.path: [(span.start_ms, span.end_ms, span.state) for span in one.spans]
            for one in lanes
        },
        errors={path: list(spans) for path, spans in whole.path_errors.items()},
        events=_events(when, judgement, load_units(view.lab)),
        count=whole.count,
        column_ms=(end - start) / wide,
    )


def _events(
    when: Chronology, judgement: ScenarioJudgement, units: frozenset[str]
) -> list[tuple[float, str, bool]]:
    moments, _ = sequence_of(when, limit=EVENTS_MOST, explained=judgement.attribution, units=units)
    return [(one.at_ms, visible(say(one.title)), one.grave) for one in moments]


def _points(
    table: IoTable,
    when: Chronology,
    stalls: list[StallMark],
    *,
    columns: int,
    span: tuple[float, float],
) -> list[tuple[float, float, int]]:
    """Return half of the columns over all the time, the rest where the fault begins and ends."""
    start, end = span
    longest = max((one.ms for one in stalls), default=0.0)
    windows = [(start, end, columns // 2)]
    for moment in [0.0] + ([] if when.mended_ms is None else [when.mended_ms]):
        low, high = max(start, moment - _NEAR_MS), min(end, moment + max(_NEAR_MS, 2 * longest))
        windows.append((low, max(high, low), max(1, columns // 4)))
    kept: dict[tuple[float, float], int] = {}
    for low, high, parts in windows:
        reduced = reduce_io(table, columns=parts, start_ms=low, end_ms=high)
        for due, took in reduced.worst:
            kept.setdefault((due, took), 0)
        for io in reduced.failed[: max(1, parts // 4)]:
            kept[io.due_ms, io.latency_ms] = 1
    for io in (one.io for one in stalls if one.io):
        bad = int(io.outcome is not IoOutcome.GOOD)
        kept[io.due_ms, io.latency_ms] = kept.get((io.due_ms, io.latency_ms), 0) | bad
    return [(due, took, bad) for (due, took), bad in sorted(kept.items())]
