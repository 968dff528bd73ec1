"""Scenarios are pytest items: they are selected, fail, are skipped and healed as such.

Method: pytest inside pytest, with a suite that judges by hand instead of breaking a lab.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

import certify
from certify import plugin
from certify.checker import judge
from certify.lab import LabError
from certify.scenarios import MODULES, PROFILES
from reports.record import (
    AssertionRecord,
    ConformanceRecord,
    EventKind,
    ScenarioJudgement,
    Verdict,
    load,
)

from .conftest import Story, make_clean_story, make_plan

ROOT = Path(certify.__file__).parents[1]
FILES = [str(ROOT / f"{MODULES[one].__name__.replace('.', '/')}.py") for one in PROFILES["quick"]]
LAB = """
schema = 1
[lab]
name = "l"
[system_under_test]
name = "t"
[[host]]
name = "host1"
[[logical_unit]]
name = "lu0"
wwid = "3600"
[[path]]
name = "p1"
engine = "e1"
hctl = "1:0:0:*"
[[engine]]
name = "e1"
"""


@dataclass
class FakeSuite:
    """Judges PASS, but for the scenarios that a test names."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    interrupt: str = ""
    selected: set[str] = field(default_factory=set)

    def run(self, scenario: str, repeat: int) -> ScenarioJudgement:
        if scenario == self.interrupt:
            raise KeyboardInterrupt
        self.ran.append(f"{scenario}[{repeat}]")
        verdict = self.verdicts.get(scenario, Verdict.PASS)
        if verdict is Verdict.NOT_RUN:
            return judge(Story(plan=make_plan(id=scenario, not_run="no such engine")).history())
        story = make_clean_story(make_plan(id=scenario))
        if verdict is Verdict.FAIL:
            story.io(due=1100, done=1900, tag=1000, lba=80)
        if verdict is Verdict.INCONCLUSIVE:
            story.drop(EventKind.PROVEN)
        return judge(story.history())

    def leave_out(self, selected: set[str]) -> None:
        self.selected = selected

    def close(self, *, complete: bool) -> None:
        self.closed.append(complete)


@dataclass
class Outcome:
    """What pytest made of it."""

    status: int | pytest.ExitCode
    reports: dict[str, pytest.TestReport]


class Reports:
    """Keeps the reports of an inner run."""

    def __init__(self) -> None:
        self.calls: dict[str, pytest.TestReport] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.calls[report.nodeid] = report


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> FakeSuite:
    fake = FakeSuite()
    monkeypatch.setattr(plugin, "open_suite", lambda *args, **rest: fake)
    monkeypatch.setattr(plugin.signal, "signal", lambda *args: None)
    return fake


def run(tmp_path: Path, *arguments: str, destroy: bool = True) -> Outcome:
    lab = tmp_path / "lab.toml"
    lab.write_text(LAB, encoding="utf-8")
    reports = Reports()
    files = [one for one in arguments if one.endswith((".py", "]"))] or FILES
    options = [one for one in arguments if one not in files]
    status = pytest.main(
        [
            *("-c", "/dev/null", "--rootdir", str(ROOT), "-p", "certify.plugin"),
            *("-p", "no:cacheprovider", "-p", "no:xdist", "--import-mode=importlib", "-q"),
            *("--lab", str(lab), "--run-dir", str(tmp_path / "run")),
            *(["--destroy"] if destroy else []),
            *options,
            *files,
        ],
        plugins=[reports],
    )
    return Outcome(status=status, reports=reports.calls)


def test_every_scenario_of_the_profile_is_an_item_in_order(
    tmp_path: Path, suite: FakeSuite
) -> None:
    seen = run(tmp_path)

    assert seen.status == pytest.ExitCode.OK
    assert suite.ran == [f"{one}[1]" for one in PROFILES["quick"]]
    assert "certify/scenarios/engine_kill.py::E1k[1]" in seen.reports
    assert suite.closed == [True]


def test_repeats_are_items_of_their_own(tmp_path: Path, suite: FakeSuite) -> None:
    run(tmp_path, "--repeat=2", "-k", "E1k")

    assert suite.ran == ["E1k[1]", "E1k[2]"]


@pytest.mark.parametrize(
    "arguments",
    [("-k", "E1k"), ("-m", "engine_kill"), ("certify/scenarios/engine_kill.py::E1k[1]",)],
    ids=["name", "marker", "node id"],
)
def test_scenarios_are_selected_as_tests_are(
    tmp_path: Path, suite: FakeSuite, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(ROOT)
    run(tmp_path, *arguments)

    assert suite.ran == ["E1k[1]"]
    assert suite.selected == {"E1k"}


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.PASS, "passed"),
        (Verdict.FAIL, "failed"),
        (Verdict.INCONCLUSIVE, "failed"),
        (Verdict.NOT_RUN, "skipped"),
    ],
)
def test_only_pass_passes(tmp_path: Path, suite: FakeSuite, verdict: Verdict, outcome: str) -> None:
    suite.verdicts["E1k"] = verdict

    seen = run(tmp_path, "-k", "E1k")

    (report,) = seen.reports.values()
    assert report.outcome == outcome


def test_failure_tells_the_reason_and_no_traceback(tmp_path: Path, suite: FakeSuite) -> None:
    suite.verdicts["E1k"] = Verdict.FAIL

    (report,) = run(tmp_path, "-k", "E1k").reports.values()

    assert report.longreprtext.startswith("E1k, repeat 1: FAIL: Longest stall after the fault")


def test_first_failure_can_end_the_run(tmp_path: Path, suite: FakeSuite) -> None:
    suite.verdicts["P1"] = Verdict.FAIL
    run(tmp_path, "-x")

    assert suite.ran == ["B0[1]", "P1[1]"]
    assert suite.closed == [True]


def test_interrupt_closes_the_run_as_incomplete(tmp_path: Path, suite: FakeSuite) -> None:
    suite.interrupt = "E1k"

    seen = run(tmp_path)

    assert seen.status == pytest.ExitCode.INTERRUPTED
    assert suite.closed == [False]


def test_nothing_is_broken_without_destroy(tmp_path: Path, suite: FakeSuite) -> None:
    seen = run(tmp_path, destroy=False)

    assert (seen.status, suite.ran) == (pytest.ExitCode.USAGE_ERROR, [])


def test_lab_that_is_not_fit_is_not_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **rest: Any) -> None:
        raise LabError("lu0 is mounted")

    monkeypatch.setattr(plugin, "open_suite", refuse)

    assert run(tmp_path).status == pytest.ExitCode.USAGE_ERROR


def test_collecting_only_opens_nothing(tmp_path: Path, suite: FakeSuite) -> None:
    run(tmp_path, "--collect-only")

    assert (suite.ran, suite.closed) == ([], [])


CONFORMANCE = """
import pytest

ASSERTION = {assertion!r}


def test_good(request):
    request.node.user_properties.append(("assertion", ASSERTION))


def test_bad(request):
    request.node.user_properties.append(("assertion", ASSERTION | {{"verdict": "FAIL"}}))
    pytest.fail("bad")


def test_crashed():
    raise RuntimeError("our own fault")


def test_left_out():
    pytest.skip("no second engine")
"""


def test_assertions_are_collected_and_crashes_are_no_passes(tmp_path: Path) -> None:
    assertion = AssertionRecord(
        family="inquiry", name="VPD 83", path="p1", clause="SPC-4", cdb="12", expected="one",
        observed="one", repeat_with="sg_inq", verdict=Verdict.PASS,
    )  # fmt: skip
    folder = tmp_path / "conformance"
    folder.mkdir()
    test = folder / "test_inner.py"
    text = CONFORMANCE.format(assertion=msgspec.to_builtins(assertion))
    test.write_text(text, encoding="utf-8")

    run(tmp_path, f"--rootdir={tmp_path}", str(test))

    told = load(tmp_path / "run" / "conformance.json", ConformanceRecord)
    verdicts = sorted(one.verdict for one in told.assertions)
    assert verdicts == ["FAIL", "INCONCLUSIVE", "NOT RUN", "PASS"]
    (skipped,) = [one for one in told.assertions if one.verdict is Verdict.NOT_RUN]
    assert skipped.reason == "no second engine"
