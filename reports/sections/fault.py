"""One page per scenario: what was done, what the host saw, where the time went."""

from dataclasses import dataclass

from reports import emblems
from reports.chronology import Chronology, Moment, chronology_of, lanes_of, sequence_of
from reports.ink import Align, Anchor, Box, Text
from reports.model import Scenario
from reports.record import AttributionPhase, Check, RecordError, ScenarioJudgement
from reports.sections.fault_charts import Charts, charts_height, draw_charts
from reports.series import IoTable, read_io
from reports.sheet import HEADING_HEIGHT, Sheet
from reports.style import (
    BODY,
    BOLD,
    DATA,
    FAIL_TEXT,
    HEADING,
    INK,
    LEFT,
    MONO,
    MUTED,
    PANEL,
    REGULAR,
    RIGHT,
    SMALL,
    TINY,
    WIDTH,
    text_width,
)
from reports.table import Bar, Chip, Column, Row, Words, cell, draw_table, strong, table_height
from reports.timeline import StallMark
from reports.view import View
from reports.words import count, fit, offset, plural, seconds

_MOMENTS = (8, 7, 6)  # fewer where the page is short
_REPRODUCTION = HEADING_HEIGHT + 34.0

_MOMENT_COLUMNS = (
    Column(title="", share=104),
    Column(title="", share=58, align=Align.RIGHT),
    Column(title="", share=320),
)
_PHASE_COLUMNS = (
    Column(title="", share=128),
    Column(title="from, s", share=40, align=Align.RIGHT),
    Column(title="to, s", share=40, align=Align.RIGHT),
    Column(title="", share=100),
    Column(title="seen by", share=174),
)
_CHECK_COLUMNS = (
    Column(title="", share=168),
    Column(title="expected", share=118, align=Align.RIGHT),
    Column(title="observed", share=118, align=Align.RIGHT),
    Column(title="", share=78, align=Align.RIGHT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """The repeat that the page shows."""

    judgement: ScenarioJudgement
    when: Chronology
    table: IoTable | None


def draw_fault(sheet: Sheet, view: View, scenario: Scenario) -> None:
    """Draw the page of one scenario, its worst repeat."""
    sheet.new_page()
    _draw_title(sheet, scenario)
    judgement = scenario.worst
    when = None
    if judgement is not None:
        when = chronology_of(view.run.events, judgement.id, judgement.repeat)
    if judgement is None or when is None:
        sheet.gap(8)
        sheet.paragraph("There is no measurement to show.", colour=MUTED)
        return
    shown = _Shown(judgement=judgement, when=when, table=_table_of(view, judgement, when))
    _draw_body(sheet, view, scenario, shown)


def _table_of(view: View, judgement: ScenarioJudgement, when: Chronology) -> IoTable | None:
    try:
        path = view.run.io_table(judgement.id, judgement.repeat)
    except RecordError:
        return None
    return read_io(path, zero_ns=when.zero_ns)


def _draw_title(sheet: Sheet, scenario: Scenario) -> None:
    plan = scenario.plan
    sheet.add(Anchor(name=scenario.anchor, y=0, title=f"{plan.id} {plan.title}"))
    sheet.y += HEADING
    sheet.add(*emblems.chip(scenario.verdict, right=RIGHT, middle=sheet.y - 5))
    name = fit(plan.id, BOLD, HEADING, WIDTH / 4)
    x = LEFT + text_width(name, BOLD, HEADING) + 8
    title = fit(plan.title, BOLD, HEADING, RIGHT - 84 - x)
    sheet.add(
        Text(x=LEFT, y=sheet.y, text=name, font=BOLD, size=HEADING, colour=MUTED),
        Text(x=x, y=sheet.y, text=title, font=BOLD, size=HEADING, colour=INK),
    )
    sheet.y += 4
    facts = [f"requirement {plan.requirement}"] if plan.requirement else []
    facts += [plan.reference] if plan.reference else []
    facts.append(plural(plan.repeats, "repeat"))
    if scenario.worst is not None and plan.repeats > 1:
        facts.append(f"repeat {scenario.worst.repeat} shown, the worst")
    sheet.paragraph(" · ".join(facts), size=SMALL, colour=MUTED, max_lines=1)
    sheet.gap(4)
    sheet.paragraph(scenario.reason, font=BOLD, size=BODY, max_lines=3)
    sheet.paragraph(plan.description, size=SMALL, max_lines=3)


def _draw_body(sheet: Sheet, view: View, scenario: Scenario, shown: _Shown) -> None:
    charts = _charts_of(view, scenario, shown)
    for most in _MOMENTS:
        tables = _tables_of(shown, most)
        below = sum(HEADING_HEIGHT + table_height(t.columns, t.rows) for t in tables)
        height = charts_height(charts, room=sheet.room - below - _REPRODUCTION) if charts else None
        if height is None or height.zoom:
            break
    if charts is not None and height is not None:
        draw_charts(sheet, charts, height=height)
    for table in tables:
        sheet.heading(table.title, note=table.note)
        draw_table(sheet, table.columns, table.rows)
    _draw_reproduction(sheet, view, scenario, shown.judgement)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table of the page with its heading."""

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: list[Row]


def _tables_of(shown: _Shown, most: int) -> list[_Table]:
    moments, others = sequence_of(shown.when, limit=most)
    more = f" · {others} more in events.jsonl" if others else ""
    tables = [
        _Table(
            title="Sequence of events",
            note=f"time after the fault{more}",
            columns=_MOMENT_COLUMNS,
            rows=[_moment_row(moment) for moment in moments],
        ),
        _Table(
            title="Where the time went",
            note="parts of the failover stall, after the fault",
            columns=_PHASE_COLUMNS,
            rows=_phase_rows(shown.judgement.attribution),
        ),
        _Table(
            title="Expected and observed",
            note="",
            columns=_CHECK_COLUMNS,
            rows=[_check_row(check) for check in shown.judgement.checks],
        ),
    ]
    return [table for table in tables if table.rows]


def _charts_of(view: View, scenario: Scenario, shown: _Shown) -> Charts | None:
    table, when, judgement = shown.table, shown.when, shown.judgement
    if table is None or table.application.is_empty():
        return None
    start = min(when.start_ms, float(table.application["due_ms"][0]))
    end = float(table.application["due_ms"][-1])
    mended = when.mended_ms if when.mended_ms is not None else end
    stalls = []
    if judgement.stall_failover_ms is not None:
        stalls.append(
            StallMark(
                name="failover",
                title="failover stall" if scenario.is_fault else "slowest I/O",
                ms=judgement.stall_failover_ms,
                limit_ms=scenario.plan.limit_failover_ms,
                io=table.nearest(judgement.stall_failover_ms, start_ms=0, end_ms=mended),
            )
        )
    if judgement.stall_failback_ms is not None and when.mended_ms is not None:
        stalls.append(
            StallMark(
                name="failback",
                title="failback stall",
                ms=judgement.stall_failback_ms,
                limit_ms=scenario.plan.limit_failback_ms,
                io=table.nearest(judgement.stall_failback_ms, start_ms=mended, end_ms=end),
            )
        )
    return Charts(
        table=table,
        start_ms=start,
        end_ms=end,
        fault=(0.0, mended) if when.injected else None,
        stalls=stalls,
        floor_ms=judgement.noise_floor_ms,
        lanes=lanes_of(view.run.events, view.lab, when, start_ms=start, end_ms=end),
    )


def _moment_row(moment: Moment) -> Row:
    colour = FAIL_TEXT if moment.grave else INK
    return (
        strong(moment.title, colour=colour),
        cell(offset(moment.at_ms), font=MONO),
        Words(text=moment.text, max_lines=1),
    )


def _phase_rows(phases: list[AttributionPhase]) -> list[Row]:
    ends = sorted(phase.to_ms for phase in phases)
    if not ends:
        return []
    scale = max(ends[-1], 1e-9)
    if len(ends) > 1 and 0 < ends[-2] < ends[-1] / 5:
        scale = ends[-2] * 1.15
    return [
        (
            strong(phase.name),
            cell(seconds(phase.from_ms), font=MONO),
            cell(seconds(phase.to_ms), font=MONO),
            Bar(start=phase.from_ms / scale, end=phase.to_ms / scale, colour=DATA),
            Words(text=phase.evidence, max_lines=2),
        )
        for phase in phases
    ]


def _check_row(check: Check) -> Row:
    return (
        cell(check.name),
        Words(text=check.expected, font=MONO, colour=MUTED, max_lines=3),
        Words(text=check.observed, font=MONO, max_lines=3),
        Chip(verdict=check.verdict),
    )


def reproduce_command(view: View, scenario: Scenario) -> str:
    """Return the command that does this scenario again with the same schedule."""
    run = view.run.run
    lab = "" if run.lab.kind == "virtual" else "--lab lab.toml --destroy "
    kernel = f"--kernel {run.lab.kernel} " if run.lab.kind == "virtual" and run.lab.kernel else ""
    repeat = f" --repeat {scenario.plan.repeats}" if scenario.plan.repeats > 1 else ""
    profile = f"--profile {run.profile} "
    return f"certify run {lab}{kernel}{profile}-k {scenario.plan.id} --seed {run.seed}{repeat}"


def _draw_reproduction(
    sheet: Sheet, view: View, scenario: Scenario, judgement: ScenarioJudgement
) -> None:
    sheet.heading("Reproduce", keep=30)
    command = fit(reproduce_command(view, scenario), MONO, SMALL, WIDTH - 12)
    sheet.add(
        Box(x=LEFT, y=sheet.y, width=WIDTH, height=17, fill=PANEL),
        Text(x=LEFT + 6, y=sheet.y + 11, text=command, font=MONO, size=SMALL, colour=INK),
    )
    sheet.y += 27
    names = (f"io/{judgement.id}-r{judgement.repeat}.parquet", "events.jsonl")
    hashes = {entry.path: entry.sha256 for entry in view.run.manifest.files}
    parts = [f"{name} sha256 {hashes[name][:16]}…" for name in names if name in hashes]
    evidence = f"{count(judgement.io_count)} I/Os in {' · '.join(parts)}"
    sheet.line_of(evidence, font=REGULAR, size=TINY, colour=MUTED)
