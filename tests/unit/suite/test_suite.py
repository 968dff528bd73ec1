"""A run heals first and last, repeats what noise spoiled, and goes on only in a whole lab.

Method: the real suite and recorder; acting on a lab is replaced by writing a history by hand.
"""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from certify.console import Console, Progress
from certify.lab import load_lab
from certify.rundir import RunFolder
from certify.seal import seal
from certify.suite import Suite
from reports.record import SCHEMA, PlanRecord, ScenarioPlan, Verdict, encode, read_events

from .conftest import Story, make_clean_story, make_plan
from .test_plugin import LAB
from .test_seal import make_run

Act = Callable[[ScenarioPlan, int], Story]


@pytest.fixture
def make_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], Suite]:
    """Return a maker of an open suite whose scenarios leave the histories that `act` writes."""
    lab = tmp_path / "lab.toml"
    lab.write_text(LAB, encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    plan = PlanRecord(
        schema=SCHEMA,
        profile="quick",
        seed=1,
        scenarios=[make_plan(), make_plan(id="A1"), make_plan(id="A3", not_run="no array")],
    )
    (folder / "plan.json").write_bytes(encode(plan))
    (folder / "run.json").write_bytes(encode(make_run(complete=False)))

    def make(act: Act) -> Suite:
        def write(self: Suite, plan: ScenarioPlan, repeat: int) -> None:
            recorder = self._require()
            if self.broken:
                self._excuse(plan, repeat, f"The lab was left broken: {self.broken}")
                return
            story = act(plan, repeat)
            recorder.begin(plan.id, repeat)
            for event in sorted(story.events, key=lambda event: event.t_ns):
                recorder.event(event.kind, event.subject, event.detail, event.data, event.t_ns)
            for one in story.ios:
                recorder.io(one)
            recorder.end()

        monkeypatch.setattr(Suite, "_act", write)
        monkeypatch.setattr("certify.suite.keep_logs", lambda lab, folder: None)
        suite = Suite(
            lab=load_lab(lab),
            folder=RunFolder.existing(folder),
            plan=plan,
            console=Console(io.StringIO(), progress=Progress.PLAIN),
        )
        suite.open()
        return suite

    return make


def noisy(plan: ScenarioPlan) -> Story:
    story = make_clean_story(plan)
    story.io(probe="control", op="read", due=1500, done=1700, lba=8)
    story.io(due=1500, done=1770, tag=1000, lba=80)
    return story


def test_repeat_that_noise_spoiled_is_made_again(make_suite: Callable[[Act], Suite]) -> None:
    suite = make_suite(lambda plan, repeat: noisy(plan) if repeat == 1 else make_clean_story(plan))

    seen = suite.run("E1k", 1)
    suite.close(complete=True)

    assert (seen.verdict, seen.repeat) == (Verdict.PASS, 2)
    judgement = seal(suite.folder.path)
    assert [(one.id, one.repeat, one.verdict) for one in judgement.scenarios[:1]] == [
        ("E1k", 2, Verdict.PASS)
    ]
    assert any("could not be timed" in finding.text for finding in judgement.findings)


def test_noise_that_does_not_end_is_given_up(make_suite: Callable[[Act], Suite]) -> None:
    made: list[int] = []

    def act(plan: ScenarioPlan, repeat: int) -> Story:
        made.append(repeat)
        return noisy(plan)

    suite = make_suite(act)

    assert suite.run("E1k", 1).verdict is Verdict.INCONCLUSIVE
    assert made == [1, 2, 3]
    suite.close(complete=True)


def test_failure_is_never_made_again(make_suite: Callable[[Act], Suite]) -> None:
    made: list[int] = []

    def act(plan: ScenarioPlan, repeat: int) -> Story:
        made.append(repeat)
        story = noisy(plan)
        story.io(probe="readback:path2", op="read", due=3045, tag=299)
        return story

    suite = make_suite(act)

    assert suite.run("E1k", 1).verdict is Verdict.FAIL
    assert made == [1]
    suite.close(complete=True)


def test_nothing_more_is_broken_in_a_lab_that_is_not_whole(
    make_suite: Callable[[Act], Suite],
) -> None:
    suite = make_suite(lambda plan, repeat: make_clean_story(plan))
    suite.broken = "not whole after P1: path1 is failed"

    seen = suite.run("E1k", 1)
    suite.close(complete=True)

    assert seen.verdict is Verdict.NOT_RUN
    assert "path1 is failed" in seen.reason
    assert seal(suite.folder.path).exit_code == 4


def test_scenario_that_nobody_selected_says_so(make_suite: Callable[[Act], Suite]) -> None:
    suite = make_suite(lambda plan, repeat: make_clean_story(plan))
    suite.leave_out({"E1k"})
    suite.run("E1k", 1)
    suite.close(complete=True)

    reasons = {one.id: one.reason for one in seal(suite.folder.path).scenarios}
    assert reasons["A1"] == "It was not selected for this run."
    assert reasons["A3"] == "no array"


def test_scenario_that_the_lab_lacks_is_not_acted_on(make_suite: Callable[[Act], Suite]) -> None:
    suite = make_suite(lambda plan, repeat: pytest.fail("acted"))

    assert suite.run("A3", 1).verdict is Verdict.NOT_RUN
    suite.close(complete=True)


def test_closed_run_says_whether_it_was_complete(make_suite: Callable[[Act], Suite]) -> None:
    suite = make_suite(lambda plan, repeat: make_clean_story(plan))
    suite.close(complete=False)

    folder = RunFolder.existing(suite.folder.path)
    assert folder.record.complete is False
    assert folder.record.ended_utc != ""
    subjects = [event.subject for event in read_events(suite.folder.path / "events.jsonl")]
    assert subjects == ["interrupted"]
