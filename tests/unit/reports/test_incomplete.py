"""A folder that is not the sealed evidence gets a report of what is wrong, and no certificate."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pypdf import PdfReader

from certify.cli import main
from reports.build import build_report
from reports.folder import build_manifest
from reports.incomplete import build_incomplete, render_incomplete
from reports.inspection import State, inspect_folder
from reports.record import RecordError, encode
from reports.verify import verify_pdf, verify_run
from tests.unit.reports.sample_stress import HOSTILE
from tests.unit.reports.test_layout import collisions, outside


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def write(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def tear(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:999])


NEWER = b'{"schema":99,"profile":"","seed":1,"scenarios":[]}'
DAMAGE = {
    "no events": (remove("events.jsonl"), "events.jsonl missing"),
    "torn table": (tear("io/E1k-r1.parquet"), "io/E1k-r1.parquet damaged"),
    "no table": (remove("io/E1k-r1.parquet"), "io/E1k-r1.parquet missing"),
    "no verdict": (remove("verdict.json"), "verdict.json missing"),
    "no run": (write("run.json", b"\xff\x00"), "run.json damaged"),
    "field missing": (write("verdict.json", b'{"schema":1}'), "verdict.json damaged"),
    "newer schema": (write("plan.json", NEWER), "plan.json damaged schema 99"),
    "wrong hash": (write("logs/multipathd.log", b"x"), "logs/multipathd.log changed"),
    "extra file": (write("extra.txt", b"x"), "extra.txt not listed"),
    "unsealed": (remove("manifest.json"), "manifest.json missing"),
    "damaged line": (write("events.jsonl", b"{}\n{}\n"), "events.jsonl damaged"),
    "deep": (write("conformance.json", b"[" * 99_999), "conformance.json damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_page_one_names_what_is_wrong(
    healthy: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, words = DAMAGE[name]
    damage(healthy)
    assert main(["report", str(healthy)]) == 1
    pdf = healthy / "report-incomplete.pdf"
    assert capsys.readouterr().out.strip() == str(pdf)
    text = " ".join(PdfReader(pdf).pages[0].extract_text().split())
    assert words in text
    assert "NOT EVIDENCE" in text
    assert "Certified" not in text
    assert "Signatures" not in text
    assert not (healthy / "report.pdf").exists()
    told = json.loads(pdf.with_suffix(".json").read_bytes())
    assert (told["evidence"], told["certified"]) == (False, False)
    assert [one["path"] for one in told["files"] if one["path"] == words.split()[0]]


@pytest.mark.parametrize("name", DAMAGE)
def test_verify_names_the_file_too(healthy: Path, name: str) -> None:
    damage, words = DAMAGE[name]
    damage(healthy)
    assert any(words.split()[0] in problem for problem in verify_run(healthy))


def test_a_report_of_better_days_is_kept(healthy: Path) -> None:
    before = build_report(healthy).read_bytes()
    remove("events.jsonl")(healthy)
    main(["report", str(healthy)])
    assert (healthy / "report.pdf").read_bytes() == before


def test_it_does_not_spoil_the_folder(healthy: Path) -> None:
    log = healthy / "logs" / "multipathd.log"
    was = log.read_bytes()
    log.write_bytes(b"x")
    main(["report", str(healthy)])
    log.write_bytes(was)
    assert verify_run(healthy) == []


def test_same_folder_same_bytes(healthy: Path, tmp_path: Path) -> None:
    remove("verdict.json")(healthy)
    moved = shutil.copytree(healthy, tmp_path / "moved" / "healthy")
    one, other = (render_incomplete(inspect_folder(at, "x")) for at in (healthy, moved))
    assert one == other


def test_it_proves_nothing(healthy: Path) -> None:
    remove("verdict.json")(healthy)
    (problem,) = verify_pdf(build_incomplete(healthy, "no verdict"))
    assert "not evidence" in problem


def test_a_torn_table_that_was_sealed_is_found(healthy: Path) -> None:
    tear("io/E1k-r1.parquet")(healthy)
    (healthy / "manifest.json").write_bytes(encode(build_manifest(healthy, "x")))
    assert main(["report", str(healthy)]) == 1
    assert [one.path for one in inspect_folder(healthy, "").wrong] == ["io/E1k-r1.parquet"]


def test_a_run_that_was_not_sealed_is_told_apart(healthy: Path) -> None:
    remove("manifest.json")(healthy)
    remove("verdict.json")(healthy)
    (healthy / "io" / "E1k-r1.parquet").rename(healthy / "io" / "E1k-r1.jsonl")
    seen = {one.path: one for one in inspect_folder(healthy, "").wrong}
    assert seen["io/E1k-r1.parquet"].detail == "E1k-r1.jsonl is there: the run was not sealed"
    assert seen["run.json"].state is State.UNSEALED


@pytest.mark.parametrize("where", ["nowhere", "."])
def test_what_is_no_run_folder_gets_nothing(tmp_path: Path, where: str) -> None:
    with pytest.raises(RecordError, match=r"no such folder|no run folder"):
        build_incomplete(tmp_path / where, "x")
    assert list(tmp_path.iterdir()) == []


def test_names_of_files_stay_on_the_page(healthy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = HOSTILE.replace("/", "").replace("\x00", "")
    for number in range(90):
        (healthy / f"{number}{bad}").write_bytes(b"")
    (healthy / ("W" * 250)).write_bytes(b"")
    pages = []
    monkeypatch.setattr("reports.incomplete.paint", lambda seen, _properties: pages.extend(seen))
    render_incomplete(inspect_folder(healthy, "x"))
    assert len(pages) > 1
    assert [outside(page) for page in pages] == [[]] * len(pages)
    assert [collisions(page) for page in pages] == [[]] * len(pages)


def test_an_error_names_a_few_files_and_how_many_more(healthy: Path) -> None:
    for number in range(8):
        (healthy / f"{number}.txt").write_bytes(b"")
    with pytest.raises(RecordError, match=r"0\.txt: not in the manifest.*4\.txt.*; and 3 more$"):
        build_report(healthy)
