"""Safe for, not safe for: the worst stall beside what hosts and applications tolerate."""

from reports import tolerance
from reports.ink import Align
from reports.record import Verdict
from reports.sheet import Sheet
from reports.style import BODY, FAIL_TEXT, FILL, INK, MONO, MUTED, SMALL, TEXT, TINY
from reports.table import DENSE, Bar, Column, Row, Signed, Stack, Words, cell, draw_table
from reports.tolerance import TOLERANCES, Exposure, Tolerance, exposure_of, tolerated
from reports.view import View
from reports.words import MISSING

_COLUMNS = (
    Column(title="What waits for the storage", share=128),
    Column(title="waits, s", share=34, align=Align.RIGHT),
    Column(title="worst stall, s", share=50, align=Align.RIGHT),
    Column(title="share of the limit", share=58),
    Column(title="after that", share=128),
    Column(title="", share=62, align=Align.RIGHT),
)
_WORDS = {
    Verdict.PASS: "safe",
    Verdict.FAIL: "not safe",
    Verdict.INCONCLUSIVE: "not shown",
    Verdict.NOT_RUN: "not tested",
}
_NAMES = {tolerance.APPLICATION: "Applications", tolerance.HOST: "Hosts"}


def draw_tolerance(sheet: Sheet, view: View) -> None:
    """Draw the page on what may run on this storage."""
    seen = exposure_of(view.scenarios, indicative=view.run.run.times_indicative)
    sheet.chapter(
        "Safe for, not safe for",
        anchor="tolerance",
        subtitle="How long programs wait for their storage before something happens, beside the "
        "longest time that I/O stood still in any fault of this run.",
    )
    verdicts = {tolerated(one, seen) for one in TOLERANCES}
    grave = next((v for v in (Verdict.FAIL, Verdict.INCONCLUSIVE) if v in verdicts), None)
    colour = TEXT[grave] if grave else INK
    sheet.paragraph(tolerance.sentence(seen), size=BODY, colour=colour)
    for group, title in _NAMES.items():
        sheet.heading(title)
        rows = [_row(one, seen) for one in TOLERANCES if one.group == group]
        draw_table(sheet, _COLUMNS, rows, pad=DENSE)
    sheet.paragraph(
        "“Safe” says that in the faults of this run, as often as each was repeated, no I/O stood "
        "still for as long as the limit, that none ended with an error, and that no data was "
        "wrong. The limits are the defaults of the sources named; a site that changed them has to "
        "set its own beside the figure. What the host itself adds is part of the stall.",
        size=SMALL,
        colour=MUTED,
    )


def _row(one: Tolerance, seen: Exposure) -> Row:
    verdict = tolerated(one, seen)
    worst = seen.worst_ms
    share = 0.0 if worst is None else worst / one.limit_ms
    return (
        Stack(
            parts=(
                cell(one.program),
                Words(text=one.source, size=TINY, colour=MUTED),
            )
        ),
        cell(f"{one.limit_ms / 1000:.0f}", font=MONO),
        cell(
            MISSING if worst is None else f"{worst / 1000:.3f}",
            font=MONO,
            colour=FAIL_TEXT if share >= 1 else INK,
        ),
        Bar(start=0.0, end=share, colour=FILL[verdict])
        if worst is not None
        else cell(MISSING, colour=MUTED),
        Words(text=one.consequence, size=TINY),
        Signed(verdict=verdict, text=_WORDS[verdict]),
    )
