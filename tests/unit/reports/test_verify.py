"""What `verify` finds: nothing in a good run, and each change by name in a bad one."""

from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from reports.build import build_report
from reports.folder import build_manifest
from reports.record import ManifestRecord, encode, load
from reports.verify import examine_pdf, examine_run, verify_pdf, verify_run


@pytest.fixture
def reported(healthy: Path) -> Path:
    build_report(healthy)
    return healthy


def seal_again(folder: Path) -> None:
    run_id = load(folder / "manifest.json", ManifestRecord).run_id
    (folder / "manifest.json").write_bytes(encode(build_manifest(folder, run_id)))


def test_good_run_and_report_have_no_problem(reported: Path) -> None:
    assert verify_run(reported) == []
    assert verify_pdf(reported / "report.pdf", reported) == []


def test_changed_file_is_named(reported: Path) -> None:
    table = reported / "io" / "E1k-r1.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"\0")
    assert verify_run(reported)[0].startswith("io/E1k-r1.parquet: SHA-256")


def test_missing_and_foreign_files_are_named(reported: Path) -> None:
    (reported / "junit.xml").unlink()
    (reported / "extra.txt").write_text("x", encoding="utf-8")
    problems = "\n".join(verify_run(reported))
    assert "junit.xml: missing" in problems
    assert "extra.txt: not in the manifest" in problems


def test_judged_scenario_without_table_is_named(healthy: Path) -> None:
    (healthy / "io" / "A1-r1.parquet").unlink()
    seal_again(healthy)
    assert verify_run(healthy) == ["io/A1-r1.parquet: missing; verdict.json judges it"]


def test_folder_without_records_is_one_problem(tmp_path: Path) -> None:
    assert len(verify_run(tmp_path)) == 1


def test_other_evidence_sealed_again_is_not_the_report_s(reported: Path) -> None:
    (reported / "junit.xml").write_text("<testsuites name='x'/>", encoding="utf-8")
    seal_again(reported)
    problems = verify_pdf(reported / "report.pdf", reported)
    assert any("evidence root" in problem for problem in problems)


def test_report_of_another_run_is_found(
    reported: Path, samples: dict[str, Path], tmp_path: Path
) -> None:
    other = build_report(samples["failing"], tmp_path / "other.pdf")
    assert any("evidence root" in problem for problem in verify_pdf(other, reported))


def test_changed_report_is_found_with_the_evidence(reported: Path, tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=reported / "report.pdf")
    changed = tmp_path / "changed.pdf"
    with changed.open("wb") as stream:
        writer.write(stream)
    assert "its bytes are not those" in verify_pdf(changed, reported)[0]


def test_removed_page_is_found_without_the_evidence(reported: Path, tmp_path: Path) -> None:
    writer = PdfWriter()
    reader = PdfReader(reported / "report.pdf")
    for page in reader.pages[:-1]:
        writer.add_page(page)
    assert reader.metadata is not None
    writer.add_metadata({key: str(value) for key, value in reader.metadata.items()})
    changed = tmp_path / "short.pdf"
    with changed.open("wb") as stream:
        writer.write(stream)
    assert any("does not say “Page 1 of 12”" in problem for problem in verify_pdf(changed))


def test_report_alone_says_what_was_not_checked(reported: Path) -> None:
    alone = examine_pdf(reported / "report.pdf")
    assert alone.problems == []
    assert any("every figure" in text for text in alone.not_checked)
    assert examine_pdf(reported / "report.pdf", reported).not_checked == []


def test_run_check_says_what_it_cannot_know(reported: Path) -> None:
    assert any("evidence root" in text for text in examine_run(reported).not_checked)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"no pdf at all"])
def test_what_is_no_pdf_is_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(content)
    assert len(verify_pdf(path)) == 1


def test_foreign_pdf_is_no_report(tmp_path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(width=100, height=100)
    path = tmp_path / "blank.pdf"
    with path.open("wb") as stream:
        writer.write(stream)
    assert "not a report of this tool" in verify_pdf(path)[0]
