"""A sealed run folder to its report: report.pdf for people, report.json for machines.

The report is a function of the folder's content: the same evidence gives the same bytes, wherever
the folder is and whenever the report is made.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reports.attachment import attach, pack
from reports.courses import courses_of
from reports.folder import Run, SignedReportError, load_sealed
from reports.ink import Page
from reports.language.speech import say, speaking
from reports.paint import Properties, page_numbers, paint
from reports.paper import paper_named
from reports.sections.application import draw_application
from reports.sections.availability import draw_availability
from reports.sections.configuration import draw_configuration
from reports.sections.conformance import draw_conformance
from reports.sections.cover import draw_cover, signature_lines
from reports.sections.credibility import draw_credibility
from reports.sections.evidence import draw_evidence
from reports.sections.fault import draw_fault
from reports.sections.findings import draw_findings
from reports.sections.glossary import draw_glossary
from reports.sections.integrity import draw_integrity
from reports.sections.latencies import draw_latencies
from reports.sections.matrix import draw_matrix
from reports.sections.method import draw_method
from reports.sections.repeats import draw_repeats
from reports.sections.requirements import draw_requirements
from reports.sections.revisions import draw_revisions
from reports.sections.side_by_side import draw_side_by_side
from reports.sections.statement import draw_statement
from reports.sections.tolerance import draw_tolerance
from reports.sheet import Furniture, Sheet
from reports.side_by_side import SideBySide
from reports.signatures import Place
from reports.summary import summarize
from reports.view import View, view_of

REPORT = "report.pdf"
TITLE = "Zero-downtime report"
COMPARISON = "Zero-downtime comparison"
DRAFT = "DRAFT, NOT ISSUED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Both files of a report, not yet written."""

    pdf: bytes
    json: bytes


def lay_out(run: Run) -> list[Page]:
    """Return the finished pages of *run*, not yet painted, in the language of its record."""
    view = view_of(run)
    with speaking(view.run.run.acceptance.language):
        return _lay_out(view)


def _lay_out(view: View) -> list[Page]:
    sheet = Sheet(furniture=_furniture_of(view), paper=view.paper)
    draw_cover(sheet, view)
    draw_matrix(sheet, view)
    draw_findings(sheet, view)
    draw_statement(sheet, view)
    draw_requirements(sheet, view)
    for scenario in view.scenarios:
        if scenario.was_run:  # why another did not run is in the matrix
            draw_fault(sheet, view, scenario)
    courses = courses_of(view)
    draw_repeats(sheet, courses)
    draw_availability(sheet, view, courses)
    draw_tolerance(sheet, view)
    draw_integrity(sheet, view)
    draw_application(sheet, view)
    draw_conformance(sheet, view)
    draw_configuration(sheet, view)
    draw_method(sheet, view)
    draw_credibility(sheet, view)
    draw_revisions(sheet, view)
    draw_latencies(sheet, view)
    draw_glossary(sheet, view)
    draw_evidence(sheet, view)
    return sheet.finish()


def _furniture_of(view: View) -> Furniture:
    run = view.run.run
    revision = run.acceptance.revision_words
    return Furniture(
        title=TITLE,
        run_id=run.run_id,
        evidence_root=view.run.root,
        stamp=DRAFT if view.draft else "",
        note=f"Revision {revision}" if revision else "",
    )


def properties_of(run: Run) -> Properties:
    """Return what the PDF says of itself; `verify` reads run and evidence root from it."""
    language = run.run.acceptance.language
    with speaking(language):
        title = say(TITLE)
    return Properties(
        language=language,
        title=f"{title}: {run.run.system_under_test.name}",
        author=f"zerostall {run.run.tool.version}",
        subject=f"run {run.run.run_id}; evidence root sha256:{run.root}",
        keywords=f"verdict={run.judgement.verdict}, grade={run.judgement.grade}",
    )


def render(run: Run) -> Report:
    """Return the report of *run* as bytes."""
    pages = lay_out(run)
    paper = paper_named(run.run.acceptance.paper)
    pdf = attach(paint(pages, properties_of(run), paper=paper), pack(run))
    summary = summarize(
        run,
        report_sha256=hashlib.sha256(pdf).hexdigest(),
        page_of=page_numbers(pages),
        pages=len(pages),
    )
    return Report(pdf=pdf, json=summary)


def signature_places(run: Run) -> dict[str, Place]:
    """Return where each role of the cover signs; a box above its line."""
    view = view_of(run)
    paper = view.paper
    with speaking(run.run.acceptance.language):
        lines = signature_lines(view)
    return {
        one.role: Place(
            page=0,
            box=(
                round(one.x + paper.shift),
                round(paper.height - one.y) + 2,
                round(one.x + one.width + paper.shift),
                round(paper.height - one.y) + 28,
            ),
        )
        for one in lines
    }


def build_report(folder: Path, output: Path | None = None) -> Path:
    """Write the report of a sealed run folder and return the path of the PDF.

    *output* is the PDF; by default report.pdf in the folder. The key figures go beside it with the
    suffix .json. Raises RecordError naming the first file of the folder that is wrong; evidence
    that is not what was sealed gets no report. Nor does a signed PDF make way for a new one.
    """
    target = output or folder / REPORT
    keep_signed(target)
    return write_report(load_sealed(folder), target)


def write_report(run: Run, target: Path) -> Path:
    """Write the report of a sealed run to *target*, a PDF that nobody has signed; return it."""
    report = render(run)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(report.pdf)
    target.with_suffix(".json").write_bytes(report.json)
    return target


def keep_signed(target: Path) -> None:
    """Raise SignedReportError if a PDF that somebody has signed is there.

    A signature names what it covers as /ByteRange (ISO 32000-1, 12.8.1).
    """
    if target.is_file() and b"/ByteRange" in target.read_bytes():
        raise SignedReportError(
            f"{target}: it is signed, and is not replaced; name another file (-o), or move it away"
        )


def render_comparison(seen: SideBySide) -> bytes:
    """Return the PDF that sets runs beside each other; the same runs give the same bytes."""
    runs = ", ".join(column.run_id for column in seen.columns)
    furniture = Furniture(title=COMPARISON, run_id=runs, evidence_root=seen.root)
    sheet = Sheet(furniture=furniture)
    draw_side_by_side(sheet, seen)
    names = ", ".join(dict.fromkeys(column.name for column in seen.columns))
    properties = Properties(
        title=f"{COMPARISON}: {names}",
        author="zerostall",
        subject=f"runs {runs}; evidence roots sha256:{seen.root}",
        keywords="comparison",
    )
    return paint(sheet.finish(), properties)
