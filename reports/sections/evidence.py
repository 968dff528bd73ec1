"""The evidence: which files this report was made from, by what, and the end mark."""

from reports import emblems
from reports.ink import Align
from reports.sheet import Sheet
from reports.style import LEFT, MONO, MUTED, SMALL, TINY, WIDTH
from reports.table import Column, Words, cell, draw_table
from reports.view import View
from reports.words import MISSING, count, span_of_time

_COLUMNS = (
    Column(title="File", share=150),
    Column(title="bytes", share=58, align=Align.RIGHT),
    Column(title="SHA-256", share=274),
)


def draw_evidence(sheet: Sheet, view: View) -> None:
    """Draw provenance, the manifest and the end mark."""
    run, manifest = view.run.run, view.run.manifest
    sheet.chapter(
        "Evidence",
        anchor="evidence",
        subtitle="This report is computed from the files below and from nothing else. "
        "“certify verify” checks each hash, and makes the report again to compare it.",
    )
    plan = next((entry.sha256 for entry in manifest.files if entry.path == "plan.json"), MISSING)
    tool = run.tool
    commit = tool.commit or "not from a checkout"
    sheet.definitions(
        [
            ("Run", run.run_id),
            ("Tested", span_of_time(run.started_utc, run.ended_utc)),
            ("Profile, seed", f"{run.profile}, {run.seed}"),
            (
                "Tool",
                f"zerostall {tool.version}, commit {commit}"
                + (", with local changes" if tool.modified else ""),
            ),
            ("Protocol", f"plan.json, SHA-256 {plan}"),
            ("Evidence root", view.run.root),
        ]
    )
    sheet.gap(4)
    sheet.heading("Manifest", note=f"{count(len(manifest.files))} files")
    rows = [
        (
            cell(entry.path),
            cell(count(entry.size_bytes), font=MONO),
            Words(text=entry.sha256, font=MONO, size=TINY, colour=MUTED),
        )
        for entry in manifest.files
    ]
    draw_table(sheet, _COLUMNS, rows)
    sheet.need(60)
    sheet.paragraph(
        "Names, settings, logs and details of events are quoted as they were recorded. Reproduce "
        "this report only in full.",
        size=SMALL,
        colour=MUTED,
    )
    sheet.gap(16)
    sheet.add(*emblems.end_mark(x=LEFT + WIDTH / 2, y=sheet.y, text="End of report", colour=MUTED))
    sheet.y += 20
