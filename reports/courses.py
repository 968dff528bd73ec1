"""How each repeat of each scenario went, in few figures: one pass over all I/O tables of a run.

A course keeps what small charts and the availability curve need, so that no table stays in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reports.availability import PHASES, Tally, tally_of
from reports.chronology import Chronology
from reports.model import Scenario
from reports.record import RecordError, ScenarioJudgement
from reports.series import IoTable, Reduced, read_io, reduce_io
from reports.timeline import StallMark
from reports.view import View

_COLUMNS = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One repeat: the worst I/O of every part of its time, its stalls, its tallies by phase."""

    scenario: Scenario
    judgement: ScenarioJudgement
    start_ms: float
    end_ms: float
    fault: tuple[float, float] | None
    stalls: list[StallMark]
    reduced: Reduced
    tallies: dict[str, Tally]  # by PHASES


def courses_of(view: View) -> list[Course]:
    """Return the courses of all repeats of which there is a table, in the order of the report."""
    return [
        course
        for scenario in view.scenarios
        for judgement in scenario.repeats
        for course in _course(view, scenario, judgement)
    ]


def _course(view: View, scenario: Scenario, judgement: ScenarioJudgement) -> Iterator[Course]:
    """Yield the course of one repeat, or nothing where nothing was recorded."""
    when = view.events.chronology(judgement.id, judgement.repeat)
    table = table_of(view, judgement, when) if when else None
    if when is None or table is None:
        return
    start, end = span_of(table, when)
    mended = when.mended_by(end)
    breaks = when.broken(end)
    bounds = dict(zip(PHASES, ((start, 0.0), (0.0, mended), (mended, end + 1)), strict=True))
    if breaks is None:  # nothing was broken: all of it is the time before
        bounds = {PHASES[0]: (start, end + 1)}
    yield Course(
        scenario=scenario,
        judgement=judgement,
        start_ms=start,
        end_ms=end,
        fault=breaks,
        stalls=stalls_of(table, scenario, judgement, when),
        reduced=reduce_io(table, columns=_COLUMNS, start_ms=start, end_ms=end),
        tallies={name: tally_of(table, *within) for name, within in bounds.items()},
    )


def table_of(view: View, judgement: ScenarioJudgement, when: Chronology) -> IoTable | None:
    """Return the I/O table of one repeat on the clock of its fault.

    None if there is none, or none of it is the application's: then there is nothing to draw.
    """
    try:
        path = view.run.io_table(judgement.id, judgement.repeat)
    except RecordError:
        return None
    table = read_io(path, zero_ns=when.zero_ns)
    return None if table.application.is_empty() else table


def span_of(table: IoTable, when: Chronology) -> tuple[float, float]:
    """Return the time that charts of *table* show, in ms after the fault."""
    due = table.application["due_ms"]
    return min(when.start_ms, float(due[0])), float(due[-1])


def stalls_of(
    table: IoTable, scenario: Scenario, judgement: ScenarioJudgement, when: Chronology
) -> list[StallMark]:
    """Return the judged stalls of one repeat with the I/O that shows each, if it is found."""
    start, end = span_of(table, when)
    mended = when.mended_by(end)
    first = _stall(
        table,
        judgement.stall_failover_ms if scenario.is_fault else judgement.steady_ms_max,
        scenario.plan.limit_failover_ms,
        name="failover",
        title="failover stall" if scenario.is_fault else "slowest I/O",
        window=(0.0 if scenario.is_fault else start, mended),
    )
    second = _stall(
        table,
        judgement.stall_failback_ms if when.mended_ms is not None else None,
        scenario.plan.limit_failback_ms,
        name="failback",
        title="failback stall",
        window=(mended, end),
    )
    return [stall for stall in (first, second) if stall]


def _stall(
    table: IoTable,
    ms: float | None,
    limit_ms: float,
    *,
    name: str,
    title: str,
    window: tuple[float, float],
) -> StallMark | None:
    if ms is None:
        return None
    io = table.nearest(ms, start_ms=window[0], end_ms=window[1])
    return StallMark(name=name, title=title, ms=ms, limit_ms=limit_ms, io=io)
