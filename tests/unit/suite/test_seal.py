"""A recorded run becomes a sealed one that loads, is intact, and is judged the same again.

Method: folders written by the real recorder; nothing of a lab.
"""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from certify.history import read_ios
from certify.recorder import Recorder
from certify.seal import seal
from reports.folder import load_run, verify_manifest
from reports.record import (
    SCHEMA,
    AssertionRecord,
    ConformanceRecord,
    EventKind,
    LabRecord,
    PlanRecord,
    RecordError,
    RunRecord,
    ScenarioPlan,
    SystemUnderTest,
    Tool,
    Verdict,
    encode,
)
from reports.record import Acceptance as AcceptanceRecord

from .conftest import Story, make_clean_story, make_plan


def make_run(*, complete: bool = True) -> RunRecord:
    return RunRecord(
        schema=SCHEMA, run_id="run-1", tool=Tool(version="0.1.0", commit="", modified=False),
        lab=LabRecord(
            name="lab", kind="virtual", kernel="uml", topology="single", hosts=["host1"],
            engines=["engine1"], arrays=["A"], logical_units=[], paths=[],
        ),
        system_under_test=SystemUnderTest(
            name="s", vendor="v", product="p", revision="1", serials=[]
        ),
        acceptance=AcceptanceRecord(), versions={}, host_timers=[], profile="quick", seed=1,
        started_utc="2026-11-23T19:00:00Z", ended_utc="2026-11-23T19:01:00Z", anchor_utc_ns=0,
        anchor_monotonic_ns=0, times_indicative=False, complete=complete,
    )  # fmt: skip


def record(folder: Path, stories: list[Story], *, complete: bool = True) -> None:
    """Write the folder as a run leaves it."""
    plans: dict[str, ScenarioPlan] = {}
    recorder = Recorder(folder)
    for story in stories:
        repeat = sum(story.plan.id == one for one in plans) + 1
        plans[story.plan.id] = story.plan
        recorder.begin(story.plan.id, repeat)
        for event in sorted(story.events, key=lambda event: event.t_ns):
            recorder.event(event.kind, event.subject, event.detail, event.data, event.t_ns)
        for io in story.ios:
            recorder.io(io)
        recorder.end()
    recorder.close()
    plan = PlanRecord(schema=SCHEMA, profile="quick", seed=1, scenarios=list(plans.values()))
    (folder / "plan.json").write_bytes(encode(plan))
    (folder / "run.json").write_bytes(encode(make_run(complete=complete)))
    assertion = AssertionRecord(
        family="inquiry", name="VPD 83", path="p1", clause="SPC-4", cdb="12", expected="one",
        observed="one", repeat_with="sg_inq", verdict=Verdict.PASS,
    )  # fmt: skip
    told = ConformanceRecord(schema=SCHEMA, assertions=[assertion])
    (folder / "conformance.json").write_bytes(encode(told))


def test_clean_run_is_certified_and_intact(tmp_path: Path) -> None:
    record(tmp_path, [make_clean_story(make_plan())])

    judgement = seal(tmp_path)

    assert (judgement.certified, judgement.exit_code) == (True, 0)
    assert verify_manifest(tmp_path) == []
    assert load_run(tmp_path).judgement == judgement


def test_tables_hold_every_io_in_the_order_of_due(tmp_path: Path) -> None:
    story = make_clean_story(make_plan())
    record(tmp_path, [story])
    seal(tmp_path)

    rows = read_ios(tmp_path, "E1k", 1)

    assert not list(tmp_path.glob("io/*.jsonl"))
    assert sorted(rows, key=repr) == sorted(story.ios, key=repr)
    assert [io.due_ns for io in rows] == sorted(io.due_ns for io in story.ios)


def test_sealing_again_gives_the_same_evidence(tmp_path: Path) -> None:
    record(tmp_path, [make_clean_story(make_plan())])
    seal(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    seal(tmp_path)

    after = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_run_that_died_in_a_fault_is_judged_by_what_is_there(tmp_path: Path) -> None:
    story = make_clean_story(make_plan())
    story.events = [event for event in story.events if event.t_ns < 1_500_000_000]
    record(tmp_path, [story], complete=False)
    spool = next(tmp_path.glob("io/*.jsonl"))
    spool.write_bytes(spool.read_bytes() + b'["app-write",7')

    judgement = seal(tmp_path)

    assert (judgement.verdict, judgement.exit_code) == (Verdict.INCONCLUSIVE, 4)
    assert verify_manifest(tmp_path) == []


def test_run_that_its_user_ended_after_the_last_scenario_counts(tmp_path: Path) -> None:
    record(tmp_path, [make_clean_story(make_plan())], complete=False)
    recorder = Recorder(tmp_path)
    recorder.event(EventKind.NOTE, "interrupted", "by its user")
    recorder.close()

    assert seal(tmp_path).exit_code == 0


def test_lab_that_was_not_healed_is_told(tmp_path: Path) -> None:
    record(tmp_path, [make_clean_story(make_plan())])
    recorder = Recorder(tmp_path)
    recorder.event(EventKind.ERROR, "lab", "engine1 is not ready")
    recorder.close()

    judgement = seal(tmp_path)

    assert judgement.exit_code == 4
    assert "engine1 is not ready" in judgement.sentence


def test_scenario_that_was_not_reached_is_not_run(tmp_path: Path) -> None:
    missing = Story(plan=make_plan(id="A1"))
    record(tmp_path, [make_clean_story(make_plan()), missing])

    judgement = seal(tmp_path)

    assert [one.verdict for one in judgement.scenarios] == [Verdict.PASS, Verdict.NOT_RUN]
    assert judgement.exit_code == 3


def test_junit_says_what_the_judge_says(tmp_path: Path) -> None:
    slow = make_clean_story(make_plan(id="P1"))
    slow.io(due=1100, done=1900, tag=1000, lba=80)
    unproven = make_clean_story(make_plan(id="A1"))
    unproven.drop(EventKind.PROVEN)
    record(tmp_path, [make_clean_story(make_plan()), slow, unproven])
    seal(tmp_path)

    root = ElementTree.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own file

    counts = [root.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "0"]
    failure = root.find(".//testcase[@name='P1[1] Engine 1 killed']/failure")
    assert failure is not None
    assert "800 ms" in failure.get("message", "")


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"run\.json: missing"):
        seal(tmp_path)
