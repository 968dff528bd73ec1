"""The PDF: pages numbered, evidence root everywhere, fonts inside, same bytes for the same run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from pypdf import PdfReader

from reports.build import build_report
from reports.folder import evidence_root
from reports.record import RecordError
from reports.verify import embedded_fonts
from tests.unit.reports import sample_lab
from tests.unit.reports.sample_course import Variant
from tests.unit.reports.sample_run import write_sample_run
from tests.unit.reports.sample_stress import HOSTILE, write_stress_run

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def reports(samples: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {name: build_report(run, folder / f"{name}.pdf") for name, run in samples.items()}


def text_of(pdf: Path, page: int) -> str:
    return " ".join(PdfReader(pdf).pages[page].extract_text().split())


@pytest.mark.parametrize("variant", Variant)
def test_every_page_has_its_number_and_the_root(
    reports: dict[str, Path], samples: dict[str, Path], variant: Variant
) -> None:
    root = evidence_root(samples[variant])
    pages = PdfReader(reports[variant]).pages
    missing = [
        number
        for number, page in enumerate(pages, start=1)
        if f"Page {number} of {len(pages)}" not in page.extract_text()
        or f"{root[:4]} {root[4:8]}" not in page.extract_text()
    ]
    assert missing == []


def test_fonts_are_embedded(reports: dict[str, Path]) -> None:
    fonts = embedded_fonts(PdfReader(reports["failing"]))
    assert {name.split("+")[-1] for name in fonts} == {
        "Lato-Regular",
        "Lato-Bold",
        "DejaVuSansMono",
    }
    assert all(fonts.values())


def test_rebuild_gives_the_same_bytes_elsewhere(
    reports: dict[str, Path], samples: dict[str, Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(samples["healthy"], tmp_path / "moved")
    script = "import sys, pathlib; from reports.build import build_report as b; "
    script += "b(pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "LC_ALL": "C"}
    argv = [sys.executable, "-c", script, str(copy)]
    subprocess.run(argv, check=True, cwd=ROOT, env=environment, timeout=60)
    assert (copy / "report.pdf").read_bytes() == reports["healthy"].read_bytes()
    assert (copy / "report.json").read_bytes() == reports["healthy"].with_suffix(
        ".json"
    ).read_bytes()


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        (Variant.HEALTHY, "Certified: Platinum"),
        (Variant.FAILING, "Not certified"),
        (Variant.INCONCLUSIVE, "Inconclusive, not certified"),
    ],
)
def test_cover_says_the_verdict_in_words(
    reports: dict[str, Path], variant: Variant, words: str
) -> None:
    assert words in text_of(reports[variant], 0)


def test_cover_names_a_virtual_lab(reports: dict[str, Path]) -> None:
    assert "Virtual lab" in text_of(reports["healthy"], 0)
    assert "times are indicative" in text_of(reports["inconclusive"], 0)
    assert "Virtual lab" not in text_of(reports["physical"], 0)


def test_failures_come_before_passes(reports: dict[str, Path]) -> None:
    matrix = PdfReader(reports["failing"]).pages[1].extract_text()
    assert matrix.index("Array A offline") < matrix.index("Healthy baseline")


def test_page_of_a_fault_says_how_to_do_it_again(reports: dict[str, Path]) -> None:
    pages = [page.extract_text() for page in PdfReader(reports["healthy"]).pages]
    assert sum("-k E1k --seed 20261123" in page for page in pages) == 1


def test_an_incomplete_run_is_not_certified(tmp_path: Path) -> None:
    run = replace(sample_lab.run("cut", physical=False, emulated=False), complete=False)
    pdf = build_report(write_sample_run(tmp_path / "run", run=run))
    assert "Certified:" not in text_of(pdf, 0)


def test_changed_evidence_gets_no_report(healthy: Path) -> None:
    (healthy / "verdict.json").write_bytes((healthy / "verdict.json").read_bytes() + b" ")
    with pytest.raises(RecordError, match=r"verdict\.json: SHA-256"):
        build_report(healthy)


def test_summary_has_the_figures_of_the_verdict(
    reports: dict[str, Path], samples: dict[str, Path]
) -> None:
    summary = json.loads(reports["failing"].with_suffix(".json").read_bytes())
    verdict = json.loads((samples["failing"] / "verdict.json").read_bytes())
    stalls = {s["id"]: s["stall_failover_ms"] for s in verdict["scenarios"]}
    assert {s["id"]: s["stall_failover_ms"] for s in summary["scenarios"]} == stalls
    assert summary["verdict"] == "FAIL"
    assert summary["evidence_root"] == evidence_root(samples["failing"])
    assert summary["mismatches"] == 3


def test_summary_says_what_is_met_and_what_is_safe(reports: dict[str, Path]) -> None:
    good = json.loads(reports["physical"].with_suffix(".json").read_bytes())
    bad = json.loads(reports["failing"].with_suffix(".json").read_bytes())
    assert [one["verdict"] for one in good["customer_requirements"]] == ["PASS", "NOT RUN"]
    assert {one["verdict"] for one in good["requirements"]} == {"PASS"}
    assert {one["verdict"] for one in good["tolerances"]} == {"PASS"}
    assert {one["verdict"] for one in bad["tolerances"]} == {"FAIL"}


def test_outline_leads_to_every_scenario(reports: dict[str, Path]) -> None:
    titles = [str(entry["/Title"]) for entry in PdfReader(reports["healthy"]).outline]
    assert "E2h Engine 2 hang and return" in titles
    assert titles[:2] == ["Certificate", "Failure matrix"]


def test_hostile_text_brings_no_file_or_link(tmp_path: Path) -> None:
    pdf = build_report(write_stress_run(tmp_path / "run", HOSTILE, faults=1, paths=1))
    data = pdf.read_bytes()
    assert b"/URI" not in data
    assert b"/XObject" not in data
    assert b"/Launch" not in data
