"""The form of the report: paper, draft or issued, revisions, logo, names of those who sign."""

from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from reports.build import build_report, lay_out, signature_places
from reports.folder import load_run
from reports.ink import Text
from reports.record import RecordError
from reports.verify import verify_pdf
from tests.unit.reports.sample_acceptance import accepted, write_accepted

REVISIONS = [
    {"number": "A", "date": "2026-11-24", "what": "First issue"},
    {"number": "B", "date": "2026-11-25", "what": "The customer's name is corrected"},
]
ISSUED = {"state": "issued", "revision": "B", "revisions": REVISIONS}


def texts_of(pdf: Path) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(pdf).pages]


def test_a_draft_says_so_on_every_page(healthy: Path) -> None:
    pages = texts_of(build_report(healthy))
    assert [page for page in pages if "DRAFT, NOT ISSUED" not in page] == []
    assert "Certified: Platinum (draft)" in pages[0]


def test_an_issued_report_names_its_revision_on_every_page(healthy: Path) -> None:
    pages = texts_of(build_report(write_accepted(healthy, **ISSUED)))
    assert [page for page in pages if "Revision B, 2026-11-25" not in page] == []
    assert [page for page in pages if "draft" in page.lower()] == []
    assert "Certified: Platinum" in pages[0]


def test_history_tells_what_changed_and_what_is_replaced(healthy: Path) -> None:
    run = accepted(healthy, **ISSUED, replaces="ab" * 32)
    said = [mark.text for page in lay_out(run) for mark in page.marks if isinstance(mark, Text)]
    assert {"A", "B", "First issue", "The customer's name is corrected", "ab" * 32} <= {*said}


@pytest.mark.parametrize(("paper", "size"), [("A4", (595.28, 841.89)), ("Letter", (612, 792))])
def test_paper_is_what_the_lab_file_says(
    healthy: Path, paper: str, size: tuple[float, float]
) -> None:
    pdf = build_report(write_accepted(healthy, paper=paper, **ISSUED))
    boxes = {page.mediabox.upper_right for page in PdfReader(pdf).pages}
    assert [tuple(map(float, box)) for box in boxes] == [pytest.approx(size, abs=0.01)]
    assert verify_pdf(pdf) == []


def test_signatures_are_on_their_lines_on_any_paper(healthy: Path) -> None:
    boxes = {
        paper: signature_places(accepted(healthy, paper=paper))["Test engineer"].box
        for paper in ("A4", "Letter")
    }
    (left, bottom, *_), (moved, same, *_) = boxes["A4"], boxes["Letter"]
    assert moved - left == pytest.approx((612 - 595.28) / 2, abs=1)
    assert same == pytest.approx(bottom, abs=1)  # the signatures stand on the footer


def test_who_signs_is_named(healthy: Path) -> None:
    run = accepted(healthy, signatories=["Test engineer"], names={"Test engineer": "李伟"})
    cover = [mark.text for mark in lay_out(run)[0].marks if isinstance(mark, Text)]
    assert "李伟 · date" in cover


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_logo_is_on_the_cover_and_among_the_evidence(healthy: Path, kind: str) -> None:
    name = {"PNG": "logo.png", "JPEG": "logo.jpg"}[kind]
    Image.new("RGB", (300, 100), "#0072B2").save(healthy / name, format=kind)
    pdf = build_report(write_accepted(healthy, logo=name))
    first, second, *_ = PdfReader(pdf).pages
    assert [image.image.size for image in first.images if image.image] == [(300, 100)]
    assert [*second.images] == []
    assert name in {entry.path for entry in load_run(healthy).manifest.files}
    assert verify_pdf(pdf) == []


def test_a_logo_that_is_none_gives_no_report(healthy: Path) -> None:
    (healthy / "logo.png").write_bytes(b"none")
    with pytest.raises(RecordError, match=r"logo\.png: not a logo: expected a PNG or JPEG"):
        build_report(write_accepted(healthy, logo="logo.png"))
