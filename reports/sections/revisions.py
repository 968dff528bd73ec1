"""The history of the report: which revision this is, what each one changed, what it replaces."""

from reports.record import Acceptance
from reports.sheet import Sheet
from reports.style import MONO, SMALL
from reports.table import Column, cell, draw_table, strong
from reports.view import View

_COLUMNS = (
    Column(title="Revision", share=60),
    Column(title="date", share=70),
    Column(title="what changed", share=352),
)


def has_history(accepted: Acceptance) -> bool:
    """Tell whether there is anything to say."""
    return bool(accepted.revisions or accepted.replaces)


def draw_revisions(sheet: Sheet, view: View) -> None:
    """Draw the revisions, the oldest first; nothing where there are none."""
    accepted = view.run.run.acceptance
    if not has_history(accepted):
        return
    sheet.chapter("Revisions", anchor="revisions", subtitle=_standing(accepted))
    rows = [
        (strong(one.number), cell(one.date.isoformat(), font=MONO), cell(one.what))
        for one in accepted.revisions
    ]
    if rows:
        draw_table(sheet, _COLUMNS, rows)
    if accepted.replaces:
        sheet.heading("Replaces")
        sheet.paragraph("The report of the same run with this evidence root:", size=SMALL)
        sheet.paragraph(accepted.replaces, font=MONO, size=SMALL)


def _standing(accepted: Acceptance) -> str:
    if accepted.state == "draft":
        return "This is a draft. It is not issued, and no acceptance can be based on it."
    return (
        f"This is revision {accepted.revision}. It replaces all revisions before it; what was "
        "measured is the same in all of them."
    )
