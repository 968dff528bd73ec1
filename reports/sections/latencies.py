"""Annex: the latencies of the application in figures, before, at failover and at failback."""

from collections.abc import Sequence

from reports.ink import Align
from reports.model import Scenario
from reports.record import ScenarioJudgement, Statistic
from reports.sheet import Sheet
from reports.style import FAIL_TEXT, INK, MONO, MUTED, SMALL, TINY
from reports.table import DENSE, Cell, Column, Row, Words, draw_table
from reports.view import View
from reports.words import MISSING, count

_APPLICATION = "application"
_WINDOWS = {"before": "before", "failover": "broken", "failback": "mended"}
_OPS = ("write", "read")
_NUMBERS = (
    "p50, ms",
    "p90, ms",
    "p99, ms",
    "p99.9, ms",
    "max, ms",
    "gap, ms",
    "silent, ms",
    "steady after, ms",
    "burst, 1/s",
)
_COLUMNS = (
    Column(title="Id", share=30),
    Column(title="window", share=40),
    Column(title="I/O", share=24),
    Column(title="due", share=38, align=Align.RIGHT),
    Column(title="not good", share=30, align=Align.RIGHT),
    *(Column(title=name, share=38, align=Align.RIGHT) for name in _NUMBERS),
)


def draw_latencies(sheet: Sheet, view: View) -> None:
    """Draw the table; nothing where no statistics are in the record."""
    rows = [
        row
        for scenario in view.scenarios
        if scenario.worst is not None
        for row in _rows(scenario, scenario.worst)
    ]
    if not rows:
        return
    sheet.chapter(
        "Latencies in figures",
        anchor="latencies",
        subtitle="Of the application, from when an I/O was due; the worst repeat of each scenario. "
        "Those of paths, arrays and other hosts are in verdict.json.",
    )
    sheet.paragraph(
        "Percentiles and the maximum are of the I/Os that ended well. Gap: the longest time in the "
        "window without one success. Silent: tenths of a second without one success, together. "
        "Steady after: until the p99 stayed below twice what it was before. Burst: most successes "
        "in a tenth of a second, times ten.",
        size=SMALL,
        colour=MUTED,
    )
    sheet.gap(6)
    draw_table(sheet, _COLUMNS, rows, pad=DENSE)


def _rows(scenario: Scenario, judgement: ScenarioJudgement) -> list[Row]:
    own = {(one.window, one.op): one for one in judgement.statistics if one.plane == _APPLICATION}
    seen = [own[window, op] for window in _WINDOWS for op in _OPS if (window, op) in own]
    return [_row(scenario, one, first=index == 0) for index, one in enumerate(seen)]


def _row(scenario: Scenario, one: Statistic, *, first: bool) -> Sequence[Cell]:
    failed = one.count - one.good
    figures = (
        one.p50_ms,
        one.p90_ms,
        one.p99_ms,
        one.p999_ms,
        one.max_ms,
        one.gap_ms,
        one.silent_ms,
        one.steady_after_ms,
        one.burst_per_s,
    )
    name = scenario.plan.id if first else ""
    return (
        Words(text=name, font=MONO, size=TINY, colour=MUTED, goes_to=scenario.anchor, max_lines=1),
        Words(text=_WINDOWS[one.window], size=TINY, max_lines=1),
        Words(text=one.op, size=TINY, max_lines=1),
        _figure(count(one.count)),
        _figure(count(failed), colour=FAIL_TEXT if failed else INK),
        *(_figure(three_digits(value)) for value in figures),
    )


def _figure(text: str, *, colour: str = INK) -> Words:
    return Words(text=text, font=MONO, size=TINY, colour=colour, max_lines=1)


def three_digits(value: float | None) -> str:
    """Return a figure with three significant digits, whole above 100: 0.483, 15.2, 158 814."""
    if value is None:
        return MISSING
    if abs(value) >= 99.95:
        return count(round(value))
    if value == 0:
        return "0"
    decimals = 3 if abs(value) < 0.9995 else 2 if abs(value) < 9.995 else 1
    return f"{value:.{decimals}f}"
