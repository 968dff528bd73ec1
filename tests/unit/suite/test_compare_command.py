"""`certify compare`, `certify baseline` and the results for machines, as a shell sees them."""

from pathlib import Path

import msgspec
import pytest

from certify.cli import main
from certify.verdict import ExitCode
from tests.unit.reports.sample_course import Variant
from tests.unit.reports.sample_run import write_sample_run

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample_run(tmp_path_factory.mktemp("compared") / "healthy")


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample_run(tmp_path_factory.mktemp("compared") / "failing", Variant.FAILING)


def test_two_runs_are_shown_side_by_side(healthy: Path, failing: Path, capsys: Captured) -> None:
    assert main(["compare", str(healthy), str(failing)]) == ExitCode.CERTIFIED
    out = capsys.readouterr().out
    assert "certified, Platinum" in out
    assert "not certified (FAIL)" in out


def test_the_page_is_written_where_it_was_asked_for(
    healthy: Path, failing: Path, tmp_path: Path, capsys: Captured
) -> None:
    pdf = tmp_path / "new folder" / "compare.pdf"
    assert main(["compare", str(healthy), str(failing), "-o", str(pdf)]) == ExitCode.CERTIFIED
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert str(pdf) in capsys.readouterr().out


def test_the_comparison_is_there_for_machines(
    healthy: Path, failing: Path, capsys: Captured
) -> None:
    main(["compare", "--json", str(healthy), str(failing)])
    told = msgspec.json.decode(capsys.readouterr().out)
    assert [column["verdict"] for column in told["columns"]] == ["PASS", "FAIL"]
    assert {line["id"] for line in told["lines"]} >= {"B0", "P1", "E1k", "E2h", "A1", "A3"}


def test_a_regression_exits_1_and_names_what_is_worse(
    healthy: Path, failing: Path, tmp_path: Path, capsys: Captured
) -> None:
    baseline = tmp_path / "baseline.json"
    assert main(["baseline", str(healthy), "-o", str(baseline)]) == ExitCode.CERTIFIED
    arguments = ["compare", "--baseline", str(baseline)]
    assert main([*arguments, str(healthy)]) == ExitCode.CERTIFIED
    assert main([*arguments, str(failing)]) == ExitCode.FAILED
    assert "P1: FAIL; it was PASS" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{healthy}"], "needs two runs or more"),
        (["{healthy}", "{healthy}"], "was named twice"),
        (["{healthy}", "{failing}", "--baseline", "b.json"], "takes one run; seen 2"),
        (["{healthy}", "--baseline", "none.json"], "certify baseline RUN -o"),
        (["{healthy}", "/nowhere"], "/nowhere/run.json: missing"),
    ],
)
def test_bad_input_is_named(
    healthy: Path, failing: Path, capsys: Captured, arguments: list[str], message: str
) -> None:
    words = [one.format(healthy=healthy, failing=failing) for one in arguments]
    assert main(["compare", *words]) == ExitCode.USAGE
    assert message in capsys.readouterr().err


def test_changed_evidence_is_not_compared(healthy: Path, tmp_path: Path, capsys: Captured) -> None:
    other = write_sample_run(tmp_path / "other")
    with (other / "events.jsonl").open("ab") as stream:
        stream.write(b"\n")
    assert main(["compare", str(healthy), str(other)]) == ExitCode.USAGE
    assert "not the sealed evidence: events.jsonl" in capsys.readouterr().err
