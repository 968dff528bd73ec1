"""One page per scenario: what was done, what the host saw, where the time went."""

from dataclasses import dataclass, replace

from reports import emblems
from reports.chronology import Chronology, Moment, lanes_of, load_units, sequence_of
from reports.courses import span_of, stalls_of, table_of
from reports.ink import Align, Anchor, Box, Text
from reports.language.speech import say
from reports.model import Scenario
from reports.record import Check, ScenarioJudgement
from reports.sections.fault_charts import Charts, charts_height, draw_charts
from reports.series import IoTable
from reports.sheet import HEADING_HEIGHT, Sheet
from reports.style import (
    BODY,
    BOLD,
    DATA,
    DATA_PALE,
    FAIL_TEXT,
    HEADING,
    INK,
    LEAD,
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
from reports.table import DENSE, Bar, Cell, Chip, Column, Row, Words, cell, draw_table, table_height
from reports.view import View
from reports.words import count, duration, fit, offset, plural, seconds

_LEVELS = ((11, 8), (10, 8), (9, 8), (8, 4), (7, 4), (6, 4), (5, 3))  # moments, path lanes
_REPRODUCTION = HEADING_HEIGHT + 22.0
_FIGURES_GAP = 6.0
_WINDOWS = ("before", "failover", "failback")

_MOMENT_COLUMNS = (
    Column(title="", share=114),
    Column(title="at, s", share=50, align=Align.RIGHT),
    Column(title="took, s", share=40, align=Align.RIGHT),
    Column(title="", share=66),
    Column(title="seen by", share=212),
)
_CHECK_COLUMNS = (
    Column(title="", share=122),
    Column(title="expected", share=112),
    Column(title="observed", share=180),
    Column(title="", share=68, align=Align.RIGHT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """The repeat that the page shows."""

    judgement: ScenarioJudgement
    when: Chronology
    table: IoTable | None
    units: frozenset[str]  # the logical units under load


def draw_fault(sheet: Sheet, view: View, scenario: Scenario) -> None:
    """Draw the page of one scenario, its worst repeat."""
    sheet.new_page()
    _draw_title(sheet, scenario)
    judgement = scenario.worst
    when = None
    if judgement is not None:
        when = view.events.chronology(judgement.id, judgement.repeat)
    if judgement is None or when is None:
        sheet.gap(8)
        sheet.paragraph("There is no measurement to show.", colour=MUTED)
        return
    shown = _Shown(
        judgement=judgement,
        when=when,
        table=table_of(view, judgement, when),
        units=load_units(view.lab),
    )
    _draw_body(sheet, view, scenario, shown)


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
    tables = _tables_of(shown, _LEVELS[0][0])
    height = None
    for moments, lanes in _LEVELS if charts else ():
        tables = _tables_of(shown, moments)
        below = sum(HEADING_HEIGHT + table_height(t.columns, t.rows, pad=DENSE) for t in tables)
        charts = replace(charts, lanes_most=lanes) if charts else None
        room = sheet.room - below - _REPRODUCTION - _figures_height(shown.judgement)
        height = charts_height(charts, room=room) if charts else None
        if height is not None and height.whole:
            break
    if charts is not None and height is not None:
        draw_charts(sheet, charts, height=height)
    for table in tables:
        sheet.heading(table.title, note=table.note)
        draw_table(sheet, table.columns, table.rows, pad=DENSE)
    if figures := figures_of(shown.judgement):
        sheet.gap(_FIGURES_GAP)
        sheet.line_of(fit(figures, REGULAR, TINY, WIDTH), font=REGULAR, size=TINY, colour=MUTED)
    _draw_reproduction(sheet, view, scenario, shown.judgement)


def _figures_height(judgement: ScenarioJudgement) -> float:
    return _FIGURES_GAP + 2 * TINY if figures_of(judgement) else 0.0


def figures_of(judgement: ScenarioJudgement) -> str:
    """Return the latencies of the application in one line; "" where none were taken."""
    own = {(one.window, one.op): one for one in judgement.statistics if one.plane == "application"}
    windows = [name for name in _WINDOWS if (name, "write") in own and (name, "read") in own]
    if not windows:
        return ""
    parts = [
        f"{op}s {' / '.join(duration(own[name, op].p99_ms) for name in windows)}"
        for op in ("write", "read")
    ]
    after = [own[name, "write"] for name in windows if name != "before"]
    if after:
        gaps = " / ".join(duration(one.gap_ms) for one in after)
        steady = " / ".join(duration(one.steady_after_ms) for one in after)
        parts += [f"longest gap {gaps}", f"steady after {steady}"]
    return f"p99 {', '.join(windows)}: {' · '.join(parts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table of the page with its heading."""

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: list[Row]


def _tables_of(shown: _Shown, most: int) -> list[_Table]:
    explained = shown.judgement.attribution
    moments, others = sequence_of(shown.when, limit=most, explained=explained, units=shown.units)
    note = "time after the fault" if shown.when.injected else "time after the steady load began"
    if others:
        note += f" · {others} more in events.jsonl"
    tables = [
        _Table(
            title="What happened, and where the time went" if explained else "What happened",
            note=note,
            columns=_MOMENT_COLUMNS,
            rows=_moment_rows(moments),
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
    if table is None:
        return None
    start, end = span_of(table, when)
    return Charts(
        table=table,
        start_ms=start,
        end_ms=end,
        fault=when.broken(end),
        stalls=stalls_of(table, scenario, judgement, when),
        floor_ms=judgement.noise_floor_ms,
        lanes=lanes_of(view.events.path_states, view.lab, when, start_ms=start, end_ms=end),
    )


def _moment_rows(moments: list[Moment]) -> list[Row]:
    """Return one row per moment; bars share a scale within failover and within failback."""
    scales: dict[str, tuple[float, float]] = {}
    for moment in moments:
        if moment.part:
            low, high = scales.get(moment.direction, moment.part)
            scales[moment.direction] = (min(low, moment.part[0]), max(high, moment.part[1]))
    return [_moment_row(moment, scales) for moment in moments]


def _moment_row(moment: Moment, scales: dict[str, tuple[float, float]]) -> Row:
    colour = FAIL_TEXT if moment.grave else INK
    took: Cell = cell("")
    bar: Cell = cell("")
    if moment.part:
        start, end = moment.part
        low, high = scales[moment.direction]
        unit = max(high - low, 1e-9)
        took = cell(seconds(end - start), font=MONO)
        fill = DATA if moment.direction == "failover" else DATA_PALE
        bar = Bar(start=(start - low) / unit, end=(end - low) / unit, colour=fill)
    return (
        Words(text=moment.title, font=BOLD, colour=colour, max_lines=1),
        cell(offset(moment.at_ms), font=MONO),
        took,
        bar,
        Words(text=moment.text, max_lines=1),
    )


def _check_row(check: Check) -> Row:
    return (
        Words(text=check.name, max_lines=1),
        Words(text=check.expected, colour=MUTED, max_lines=2, shrink=True),
        Words(text=check.observed, max_lines=2, shrink=True),
        Chip(verdict=check.verdict),
    )


def reproduce_command(view: View, scenario: Scenario) -> str:
    """Return the command that does this scenario again with the same schedule."""
    run = view.run.run
    lab = "--lab lab.toml --destroy "
    if run.lab.kind == "virtual":
        named = (("--kernel", run.lab.kernel), ("--target", run.lab.target))
        lab = "".join(f"{option} {value} " for option, value in named if value)
        if run.lab.topology == "cluster":
            lab += "--topology cluster "
    repeat = f" --repeat {scenario.plan.repeats}" if scenario.plan.repeats > 1 else ""
    profile = f"--profile {run.profile} "
    for option in ("workload", "application"):
        if name := getattr(view.run.plan, option):
            profile += f"--{option} {name} "
    return f"certify run {lab}{profile}-k {scenario.plan.id} --seed {run.seed}{repeat}"


def _draw_reproduction(
    sheet: Sheet, view: View, scenario: Scenario, judgement: ScenarioJudgement
) -> None:
    sheet.need(_REPRODUCTION)
    sheet.gap(8)
    label = say("Reproduce")
    left = LEFT + text_width(label, BOLD, LEAD) + 12
    command = fit(reproduce_command(view, scenario), MONO, SMALL, RIGHT - left - 12)
    sheet.add(
        Text(x=LEFT, y=sheet.y + 11.5, text=label, font=BOLD, size=LEAD, colour=INK),
        Box(x=left, y=sheet.y, width=RIGHT - left, height=17, fill=PANEL),
        Text(x=left + 6, y=sheet.y + 11, text=command, font=MONO, size=SMALL, colour=INK),
    )
    sheet.y += 27
    names = (f"io/{judgement.id}-r{judgement.repeat}.parquet", "events.jsonl")
    hashes = {entry.path: entry.sha256 for entry in view.run.manifest.files}
    parts = [f"{name} sha256 {hashes[name][:16]}…" for name in names if name in hashes]
    evidence = f"{count(judgement.io_count)} I/Os in {' · '.join(parts)}"
    sheet.line_of(evidence, font=REGULAR, size=TINY, colour=MUTED)
