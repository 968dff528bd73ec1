"""The main job, end to end on User Mode Linux: the profile quick certifies the reference router."""

import json
from xml.etree import ElementTree

import msgspec
import polars
import pytest
from pypdf import PdfReader

from reports.folder import load_run
from reports.record import EventKind, ScenarioJudgement, Verdict
from tests.lab.support import guest_processes

FAULTS = ("P1", "E1k", "E2h", "A1", "A3")
SCENARIOS = ("B0", *FAULTS)


@pytest.fixture(scope="module")
def finished(cli, need_uml):
    """The finished command of one whole run."""
    return cli(*("run", "--destroy", "--kernel", "uml", "--runs", str(cli.runs)), timeout_s=600)


@pytest.fixture(scope="module")
def run(cli, finished):
    """The sealed run folder."""
    assert (cli.latest / "manifest.json").exists(), finished.stderr[-3000:]
    return load_run(cli.latest)


@pytest.fixture(params=FAULTS)
def judged(request, run) -> ScenarioJudgement:
    """What was judged of each scenario that has a fault."""
    return next(one for one in run.judgement.scenarios if one.id == request.param)


def test_it_is_certified(finished):
    """Exit status, verdict and the paths of the results, where a user looks for them."""
    assert finished.returncode == 0, finished.stdout + finished.stderr[-3000:]
    assert finished.stdout.startswith("CERTIFIED")
    assert "report.pdf" in finished.stdout
    assert "junit.xml" in finished.stdout


def test_progress_tells_scenario_fault_and_time_left(finished):
    """A person who waits sees what is being done to the lab."""
    assert "engine_kill on engine1" in finished.stderr
    assert "left)" in finished.stderr
    assert "lab ready in" in finished.stderr


def test_every_fault_was_proven(run, judged):
    """A fault that nobody saw proves nothing."""
    events = [event for event in run.events if event.scenario == judged.id]

    assert [event.kind for event in events].count(EventKind.PROVEN) >= 1
    assert [event.kind for event in events].count(EventKind.NOT_PROVEN) == 0
    assert [event.kind for event in events].count(EventKind.MEND_PROVEN) >= 1


def test_every_stall_was_measured_both_ways(judged):
    """Failover and failback, beside the noise floor."""
    assert judged.stall_failover_ms is not None
    assert judged.stall_failback_ms is not None
    assert judged.noise_floor_ms is not None
    assert 0 < judged.stall_failover_ms < 5000


def test_sectors_were_verified_and_the_arrays_are_equal(run, judged):
    """Data is read back through each path, and the legs are compared past the router."""
    compared = [
        event
        for event in run.events
        if event.kind is EventKind.COMPARE and event.scenario == judged.id
    ]

    assert judged.sectors_verified > 0
    assert judged.mismatches == 0
    assert compared
    assert all(event.data["equal"] and event.data["sectors"] > 0 for event in compared)


def test_no_io_failed(judged):
    """The application felt nothing."""
    assert judged.io_errors == 0
    assert judged.io_count > 100


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_io_is_on_record(run, scenario):
    """The report's figures can be computed again from these rows."""
    table = polars.read_parquet(run.io_table(scenario, 1))
    good = table.filter(
        (polars.col("outcome") == "good") & polars.col("probe").str.starts_with("app")
    )

    assert good.height > 100
    assert (good["done_ns"] >= good["sent_ns"]).all()
    assert (good["sent_ns"] >= good["due_ns"]).all()


def test_conformance_ran_over_all_paths(run):
    """Nothing failed, and every path was asked."""
    assertions = run.conformance.assertions
    tested = {path for one in assertions for path in one.path.split(", ")}

    assert [one.name for one in assertions if one.verdict is Verdict.FAIL] == []
    assert sum(one.verdict is Verdict.PASS for one in assertions) > 200
    assert {path.name for path in run.run.lab.paths if path.host == "host1"} <= tested


def test_the_journal_has_nothing_outstanding(cli, run):
    """Every fault that was applied was healed."""
    entries = [
        msgspec.json.decode(line)
        for line in (cli.latest / "journal.jsonl").read_bytes().splitlines()
    ]
    steps = [entry["step"] for entry in entries]

    assert steps.count("intent") == steps.count("healed") >= len(FAULTS)


def test_the_report_names_every_scenario_and_the_evidence(cli, run):
    """The PDF is of this run and complete."""
    reader = PdfReader(cli.latest / "report.pdf")
    text = "\n".join(page.extract_text() for page in reader.pages)

    assert f"Page 1 of {len(reader.pages)}" in text
    assert all(scenario in text for scenario in SCENARIOS)
    assert run.root in text.replace("\n", "")
    assert "Virtual lab" in reader.pages[0].extract_text()


def test_verify_finds_the_run_intact_and_a_changed_byte(cli, run, tmp_path):
    """What was signed can be checked, and a forged figure is named."""
    intact = cli("verify", str(cli.latest))
    events = cli.latest / "events.jsonl"
    original = events.read_bytes()
    events.write_bytes(original.replace(b"engine1", b"engine9", 1))
    try:
        forged = cli("verify", str(cli.latest))
    finally:
        events.write_bytes(original)

    assert (intact.returncode, forged.returncode) == (0, 1), intact.stdout + forged.stdout
    assert "events.jsonl" in forged.stdout


def test_rendering_again_gives_the_same_bytes(cli, run, tmp_path):
    """The report is a function of the run folder."""
    again = tmp_path / "again.pdf"
    done = cli("report", str(cli.latest), "-o", str(again))

    assert done.returncode == 0, done.stderr
    assert again.read_bytes() == (cli.latest / "report.pdf").read_bytes()


def test_junit_has_a_case_per_scenario(cli, run):
    """CI systems read this file and no other."""
    cases = ElementTree.parse(cli.latest / "junit.xml").iter("testcase")  # noqa: S314 - our own
    names = " ".join(case.get("name", "") for case in cases)

    assert all(scenario in names for scenario in SCENARIOS)


def test_figures_of_the_report_are_those_of_the_verdict(cli, run):
    """report.json is what other programs read."""
    figures = json.loads((cli.latest / "report.json").read_bytes())

    assert figures["run_id"] == run.run.run_id
    assert run.root in json.dumps(figures)


def test_nothing_is_left_behind(finished):
    """No process of the lab outlives the command."""
    assert guest_processes() == []
