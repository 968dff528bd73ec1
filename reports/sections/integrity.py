"""Data integrity: what was written, what was read back, whether both arrays hold the same."""

from dataclasses import dataclass

from reports.counterexamples import draw_counterexample
from reports.ink import Align
from reports.model import Scenario
from reports.record import EventKind, EventRecord, Verdict
from reports.sheet import Sheet
from reports.style import FAIL_TEXT, INK, MONO, MUTED, SMALL
from reports.table import Chip, Column, Row, Words, cell, draw_table
from reports.view import View
from reports.words import MISSING, count, plural

_COLUMNS = (
    Column(title="Id", share=34),
    Column(title="Scenario", share=132),
    Column(title="sectors written", share=64, align=Align.RIGHT),
    Column(title="read back and right", share=70, align=Align.RIGHT),
    Column(title="wrong", share=42, align=Align.RIGHT),
    Column(title="Arrays, sector by sector", share=116),
    Column(title="", share=66, align=Align.RIGHT),
)
_EXAMPLES_MAX = 12
_DEFINITIONS = [
    ("Lost", "A write was acknowledged and the sector holds something older, or nothing."),
    ("Stale", "A read returned a value that had been overwritten before the read began."),
    ("Torn", "The sectors of one write do not all hold that write."),
    ("Misplaced", "A sector holds the tag of another address."),
    ("Corrupt", "A wrong checksum, data of another run, or a value that nobody had written yet."),
]


def draw_integrity(sheet: Sheet, view: View) -> None:
    """Draw the page on data integrity."""
    sheet.chapter(
        "Data integrity",
        anchor="integrity",
        subtitle="Every sector of 512 bytes carries the run, its address, a sequence number, the "
        "time and a CRC-32C. After each scenario every sector written was read back through each "
        "engine, and the two arrays were compared without the system under test.",
    )
    rows = [_row(scenario, view.run.events) for scenario in view.scenarios if scenario.was_run]
    draw_table(sheet, _COLUMNS, rows)
    _draw_examples(sheet, view)
    sheet.heading("What would have counted as wrong")
    sheet.gap(2)
    sheet.definitions(_DEFINITIONS)


def _draw_examples(sheet: Sheet, view: View) -> None:
    """Draw what shows that data was wrong, the gravest scenarios first."""
    examples = [
        (f"{judgement.id} repeat {judgement.repeat}", example)
        for scenario in view.scenarios
        for judgement in scenario.repeats
        for example in judgement.violations
    ]
    for where, example in examples[:_EXAMPLES_MAX]:
        draw_counterexample(sheet, example, scenario=where)
    if len(examples) > _EXAMPLES_MAX:
        more = plural(len(examples) - _EXAMPLES_MAX, "more counterexample")
        sheet.paragraph(f"{more}: certify explain shows all.", size=SMALL, colour=MUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """What is said of the data of one scenario; sectors of 512 bytes, over all repeats."""

    written: int
    verified: int
    wrong: int
    arrays: str  # what their comparison showed
    equal: bool | None  # None: not compared
    verdict: Verdict


def integrity_of(scenario: Scenario, events: list[EventRecord]) -> Integrity:
    """Sum up what was written, read back and compared; nothing read back proves nothing."""
    verified = sum(judgement.sectors_verified for judgement in scenario.repeats)
    text, equal = _comparison(scenario, events)
    verdict = Verdict.FAIL if scenario.mismatches or equal is False else Verdict.PASS
    if verdict is Verdict.PASS and not verified:
        verdict = Verdict.INCONCLUSIVE
    return Integrity(
        written=sum(judgement.sectors_written for judgement in scenario.repeats),
        verified=verified,
        wrong=scenario.mismatches,
        arrays=text,
        equal=equal,
        verdict=verdict,
    )


def _row(scenario: Scenario, events: list[EventRecord]) -> Row:
    seen = integrity_of(scenario, events)
    return (
        Words(text=scenario.plan.id, font=MONO, colour=MUTED, max_lines=1),
        cell(scenario.plan.title),
        cell(count(seen.written), font=MONO),
        cell(count(seen.verified), font=MONO),
        cell(count(seen.wrong), font=MONO, colour=FAIL_TEXT if seen.wrong else INK),
        cell(seen.arrays, colour=FAIL_TEXT if seen.equal is False else INK),
        Chip(verdict=seen.verdict),
    )


def _comparison(scenario: Scenario, events: list[EventRecord]) -> tuple[str, bool | None]:
    compares = [
        event
        for event in events
        if event.kind is EventKind.COMPARE and event.scenario == scenario.plan.id
    ]
    if not compares:
        return f"{MISSING} not compared", None
    different = [event for event in compares if not event.data.get("equal")]
    if different:
        first = different[0].data.get("first_difference_lba")
        return f"differ, first at LBA {first}", False
    sectors = sum(int(event.data.get("sectors") or 0) for event in compares)
    return f"equal, {count(sectors)} sectors", True
