"""What `verify` finds: nothing in a good run, and each change by name in a bad one."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec.structs import replace as changed
from pypdf import PdfReader, PdfWriter

from reports import attachment
from reports.attachment import attach, pack, unpack
from reports.build import build_report, lay_out, properties_of
from reports.folder import build_manifest, load_run
from reports.paint import paint
from reports.record import ManifestRecord, RecordError, encode, load
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
    copy = tmp_path / "changed.pdf"
    with copy.open("wb") as stream:
        writer.write(stream)
    assert "its bytes are not those" in verify_pdf(copy, reported)[0]


def test_removed_page_is_found_without_the_evidence(reported: Path, tmp_path: Path) -> None:
    writer = PdfWriter()
    reader = PdfReader(reported / "report.pdf")
    for page in reader.pages[:-1]:
        writer.add_page(page)
    assert reader.metadata is not None
    writer.add_metadata({key: str(value) for key, value in reader.metadata.items()})
    copy = tmp_path / "short.pdf"
    with copy.open("wb") as stream:
        writer.write(stream)
    said = f"does not say “Page 1 of {len(reader.pages) - 1}”"
    assert any(said in problem for problem in verify_pdf(copy))


def test_report_alone_is_made_again_from_the_evidence_that_it_carries(reported: Path) -> None:
    alone = examine_pdf(reported / "report.pdf")
    assert alone.problems == []
    assert any("compared byte by byte" in text for text in alone.checked)
    assert [text for text in alone.not_checked if "figure" in text] == []
    assert any("the one that was sealed" in text for text in alone.not_checked)
    whole = examine_pdf(reported / "report.pdf", reported).not_checked
    assert [text for text in whole if "nobody has signed" not in text] == []


def test_a_changed_figure_is_named_without_the_run_folder(reported: Path, tmp_path: Path) -> None:
    """A forger puts another report's pages around the evidence."""
    run = load_run(reported)
    judged = [changed(one, io_errors=one.io_errors + 3) for one in run.judgement.scenarios]
    forged = replace(run, judgement=changed(run.judgement, scenarios=judged))
    path = tmp_path / "forged.pdf"
    path.write_bytes(attach(paint(lay_out(forged), properties_of(forged)), pack(run)))
    problems = verify_pdf(path)
    assert len(problems) == 1
    assert "the evidence gives" in problems[0]


def test_changed_evidence_inside_a_report_is_named(reported: Path, tmp_path: Path) -> None:
    run = load_run(reported)
    with (reported / "events.jsonl").open("ab") as stream:
        stream.write(b"\n")
    path = tmp_path / "forged.pdf"
    path.write_bytes(attach(paint(lay_out(run), properties_of(run)), pack(run)))
    assert any("events.jsonl: SHA-256" in problem for problem in verify_pdf(path))


def test_a_report_without_evidence_is_none(reported: Path, tmp_path: Path) -> None:
    run = load_run(reported)
    path = tmp_path / "bare.pdf"
    path.write_bytes(paint(lay_out(run), properties_of(run)))
    assert "it carries no evidence" in verify_pdf(path)[0]


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped", "..\\escaped"])
def test_evidence_cannot_write_outside_its_folder(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, b"x")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(RecordError, match="outside the run folder"):
        unpack(buffer.getvalue(), folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


def test_damaged_evidence_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"evidence\.zip: cannot be unpacked"):
        unpack(b"PK no zip", tmp_path)


def test_too_much_evidence_stays_outside(reported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachment, "EMBED_BYTES_MAX", 1000)
    build_report(reported)
    alone = examine_pdf(reported / "report.pdf")
    assert alone.problems == []
    assert any("large files are with the run folder only" in text for text in alone.not_checked)
    assert examine_pdf(reported / "report.pdf", reported).problems == []


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
