"""The report of a folder that is no evidence: what is wrong with it. It carries no certificate."""

from reports import emblems
from reports.ink import Anchor, Box, Text
from reports.inspection import Inspection, Look, State
from reports.record import Verdict
from reports.sheet import Sheet
from reports.style import (
    BOLD,
    DOUBT_FILL,
    DOUBT_PALE,
    DOUBT_TEXT,
    FAIL_TEXT,
    HEADING,
    INK,
    LEAD,
    LEADING,
    LEFT,
    MUTED,
    REGULAR,
    SMALL,
    TITLE,
    WIDTH,
)
from reports.table import Column, Words, cell, draw_table
from reports.words import plural, span_of_time, wrap

STAMP = "NOT EVIDENCE"
_WRONG = (
    Column(title="File", share=130),
    Column(title="is", share=52),
    Column(title="Expected and seen", share=300),
)
_WHOLE = (Column(title="File", share=182), Column(title="holds", share=300))
_CONCLUSION = (
    "Nothing can be concluded from this folder about the system under test: neither that it "
    "passed nor that it failed. This document must not be signed, and is no certificate."
)
_CUT = 3  # lines of a cell; the rest is in the .json beside this report
_GET = "Get the folder again from where it was kept, and compare its evidence root."
_ADVICE = {
    State.MISSING: _GET,
    State.CHANGED: _GET,
    State.DAMAGED: f"{_GET} If there is no other copy, the run has to be made again.",
    State.EXTRA: "Take the file out of the folder if you know where it came from.",
    State.UNSEALED: "If the run was interrupted: “certify seal RUN” judges it and seals it.",
}


def draw_incomplete(sheet: Sheet, seen: Inspection) -> None:
    """Draw what is wrong, what is whole, and what to do."""
    sheet.new_page()
    sheet.add(Anchor(name="incomplete", y=0, title="Not evidence"))
    sheet.y += 26
    sheet.line_of("Incomplete report of the run folder", size=LEAD, colour=MUTED, advance=24)
    sheet.line_of(seen.name, font=BOLD, size=TITLE, advance=14)
    _draw_box(sheet, seen)
    wrong = seen.wrong
    if wrong:
        sheet.heading("What is wrong", note=plural(len(wrong), "file"))
        draw_table(sheet, _WRONG, [_row(look) for look in wrong])
    _draw_run(sheet, seen)
    sheet.heading("What to do")
    for text in dict.fromkeys(_ADVICE[look.state] for look in wrong):
        sheet.paragraph(text, size=SMALL)
    sheet.paragraph("“certify verify RUN” makes the same checks on the folder.", size=SMALL)
    whole = [look for look in seen.looks if look.state is State.WHOLE]
    if whole:
        sheet.heading("What is whole", note=plural(len(whole), "file"))
        cells = ((cell(one.path, max_lines=2), cell(one.holds, colour=MUTED)) for one in whole)
        draw_table(sheet, _WHOLE, list(cells))


def _draw_box(sheet: Sheet, seen: Inspection) -> None:
    inner = WIDTH - 26
    texts = [(_summary(seen), LEAD, INK), (_CONCLUSION, SMALL, MUTED)]
    cut = [(wrap(text, REGULAR, size, inner, max_lines=4), size, ink) for text, size, ink in texts]
    height = 43 + sum(len(lines) * size * LEADING for lines, size, _ in cut)
    top = sheet.y
    sheet.add(
        Box(x=LEFT, y=top, width=WIDTH, height=height, fill=DOUBT_PALE),
        Box(x=LEFT, y=top, width=5, height=height, fill=DOUBT_FILL),
        *emblems.badge(Verdict.INCONCLUSIVE, x=LEFT + 16, y=top + 11, size=17),
        Text(
            x=LEFT + 40,
            y=top + 25,
            text="Not evidence, no certificate",
            font=BOLD,
            size=HEADING,
            colour=DOUBT_TEXT,
        ),
    )
    sheet.y = top + 33
    for lines, size, ink in cut:
        for line in lines:
            sheet.paragraph(line, size=size, colour=ink, x=LEFT + 16, width=inner)
    sheet.y = top + height + 4


def _summary(seen: Inspection) -> str:
    counts = dict.fromkeys(State, 0)
    for look in seen.wrong:
        counts[look.state] += 1
    parts = [f"{number} {state}" for state, number in reversed(counts.items()) if number]
    if not parts:  # each file is whole, but together they cannot be shown
        return f"No report can be made of it: {seen.refusal}"
    return f"Of {plural(len(seen.looks), 'file')}: {', '.join(parts)}."


def _row(look: Look) -> tuple[Words, Words, Words]:
    grave = look.state in (State.MISSING, State.DAMAGED, State.CHANGED)
    return (
        cell(look.path, max_lines=_CUT),
        Words(text=str(look.state), font=BOLD, colour=FAIL_TEXT if grave else DOUBT_TEXT),
        cell(look.detail, max_lines=_CUT),
    )


def _draw_run(sheet: Sheet, seen: Inspection) -> None:
    if seen.run is None:
        return
    run = seen.run
    sheet.heading("What run.json says", note="not checked against anything")
    sheet.gap(3)
    rows = [
        ("Run", run.run_id),
        ("System under test", run.system_under_test.name),
        ("Lab", f"{run.lab.name}, {run.lab.kind}"),
        ("Tested", span_of_time(run.started_utc, run.ended_utc)),
        ("Tool", f"zerostall {run.tool.version}"),
    ]
    sheet.definitions([(label, text[:600]) for label, text in rows])
