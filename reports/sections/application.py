"""Real programs beside the faults: a database's transactions and its recovery, fio's load."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reports.ink import Align
from reports.model import Scenario
from reports.record import EventKind, EventRecord, Verdict
from reports.sheet import Sheet
from reports.style import FAIL_TEXT, INK, MONO, MUTED, SMALL
from reports.table import Cell, Chip, Column, Row, Words, cell, draw_table
from reports.view import View
from reports.words import MISSING, count, duration

DATABASE = "PostgreSQL"
LOAD = "fio "
_CRASH = (
    "After the load the host of the database crashed: pages not yet written out and the open "
    "journal of the file system were dropped. The server then had to come up from what the storage "
    "held; every commit that a client was told of is looked for; pg_amcheck --all and pg_checksums "
    "read the rest. The verdict is over all of that."
)

_DATABASE_COLUMNS = (
    Column(title="Id", share=34),
    Column(title="rep.", share=24, align=Align.RIGHT),
    Column(title="storage stall, fault / mend", share=98, align=Align.RIGHT),
    Column(title="transactions", share=62, align=Align.RIGHT),
    Column(title="failed", share=36, align=Align.RIGHT),
    Column(title="slowest", share=52, align=Align.RIGHT),
    Column(title="up after crash", share=62, align=Align.RIGHT),
    Column(title="commits there", share=78, align=Align.RIGHT),
    Column(title="", share=66, align=Align.RIGHT),
)
_LOAD_COLUMNS = (
    Column(title="Id", share=34),
    Column(title="rep.", share=24, align=Align.RIGHT),
    Column(title="profile", share=72),
    Column(title="I/Os", share=62, align=Align.RIGHT),
    Column(title="failed", share=42, align=Align.RIGHT),
    Column(title="offered", share=62, align=Align.RIGHT),
    Column(title="achieved", share=62, align=Align.RIGHT),
    Column(title="slowest", share=72, align=Align.RIGHT),
    Column(title="", share=66, align=Align.RIGHT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the exercises of one repeat of one scenario said."""

    scenario: Scenario
    repeat: int
    events: list[EventRecord]

    def first(self, key: str) -> Any:  # noqa: ANN401 - a value of JSON
        """Return the first value of *key*, None if nobody gave one."""
        return next((one.data[key] for one in self.events if one.data.get(key) is not None), None)

    @property
    def verdict(self) -> Verdict:
        """The gravest of the results."""
        goods = [one.data.get("good") for one in self.events]
        if False in goods:
            return Verdict.FAIL
        return Verdict.PASS if all(good is True for good in goods) else Verdict.INCONCLUSIVE


def draw_application(sheet: Sheet, view: View) -> None:
    """Draw the page on real programs; nothing where none ran."""
    databases = _told(view, lambda subject: subject.startswith(DATABASE))
    loads = _told(view, lambda subject: subject.startswith(LOAD))
    if not databases and not loads:
        return
    sheet.chapter(
        "Real programs beside the faults",
        anchor="application",
        subtitle="Programs that a customer knows ran on a logical unit of their own while the "
        "system was broken and mended. What they saw is part of each scenario's verdict.",
    )
    if databases:
        sheet.heading(DATABASE, note="pgbench in open loop, each transaction timed from when due")
        draw_table(sheet, _DATABASE_COLUMNS, [_database_row(one) for one in databases])
        sheet.paragraph(_CRASH, size=SMALL, colour=MUTED)
    if loads:
        sheet.heading("fio", note="background load, open loop; I/Os per second")
        draw_table(sheet, _LOAD_COLUMNS, [_load_row(one) for one in loads])


def _told(view: View, wanted: Callable[[str], bool]) -> list[_Told]:
    found: dict[tuple[str, int], list[EventRecord]] = {}
    for event in view.run.events:
        if event.kind is EventKind.EXERCISE and wanted(event.subject):
            found.setdefault((event.scenario, event.repeat), []).append(event)
    scenarios = {scenario.plan.id: scenario for scenario in view.scenarios}
    return [
        _Told(scenario=scenarios[name], repeat=repeat, events=events)
        for (name, repeat), events in found.items()
        if name in scenarios
    ]


def _head(told: _Told) -> tuple[Cell, Cell]:
    name = Words(text=told.scenario.plan.id, font=MONO, colour=MUTED, max_lines=1)
    return name, cell(str(told.repeat), font=MONO, colour=MUTED)


def _number(value: int | None, *, bad: bool = False) -> Cell:
    text = MISSING if value is None else count(value)
    return cell(text, font=MONO, colour=FAIL_TEXT if bad else INK)


def _database_row(told: _Told) -> Row:
    judged = next((one for one in told.scenario.repeats if one.repeat == told.repeat), None)
    stalls = (judged.stall_failover_ms, judged.stall_failback_ms) if judged else (None, None)
    failed, there = told.first("failed"), told.first("present")
    recovery_s = told.first("recovery_s")
    asked = told.first("acknowledged")
    commits = MISSING if asked is None else f"{count(there)} of {count(asked)}"
    return (
        *_head(told),
        cell(" / ".join(duration(one) for one in stalls), font=MONO),
        _number(told.first("transactions")),
        _number(failed, bad=bool(failed)),
        cell(duration(told.first("worst_ms")), font=MONO),
        cell(duration(None if recovery_s is None else recovery_s * 1e3), font=MONO),
        cell(commits, font=MONO, colour=FAIL_TEXT if there != asked else INK),
        Chip(verdict=told.verdict),
    )


def _load_row(told: _Told) -> Row:
    errors, achieved = told.first("errors"), told.first("achieved_per_s")
    return (
        *_head(told),
        cell(told.events[0].subject.removeprefix(LOAD)),
        _number(told.first("ios")),
        _number(errors, bad=bool(errors)),
        _number(told.first("offered_per_s")),
        cell(MISSING if achieved is None else f"{achieved:.1f}", font=MONO),
        cell(duration(told.first("worst_ms")), font=MONO),
        Chip(verdict=told.verdict),
    )
