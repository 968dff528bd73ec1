"""Scenarios beyond the profile quick, in one guest: several steps, a meant outage, a ghost write.

What they take is measured by `certify run`; here it is asked what was done and seen.
"""

import pytest

from reports.folder import load_run
from reports.record import EventKind, Verdict

SCENARIOS = ("P6", "E6", "E7", "D3a")
TIMED = ("Longest stall", "Noise floor", "Suite kept running")
"""Lines that a busy machine may spoil."""


@pytest.fixture(scope="module")
def run(cli, need_uml):
    """The sealed run folder of a few scenarios of the profile ci."""
    words = ("run", "--destroy", "--kernel", "uml", "--runs", str(cli.runs), "--profile", "ci")
    done = cli(*words, "--no-conformance", "-k", " or ".join(SCENARIOS), timeout_s=900)
    assert (cli.latest / "manifest.json").exists(), done.stderr[-3000:]
    return load_run(cli.latest)


@pytest.fixture(params=SCENARIOS)
def scenario(request):
    """Each of them."""
    return request.param


def test_everything_but_time_is_as_expected(run, scenario):
    """No error where none is meant, no wrong data, whole at the end, I/O back by itself."""
    judged = [one for one in run.judgement.scenarios if one.id == scenario and one.checks]

    assert judged
    wrong = [
        f"{check.name}: {check.observed}"
        for check in judged[-1].checks
        if check.verdict is not Verdict.PASS and not check.name.startswith(TIMED)
    ]
    assert wrong == []


def test_every_step_was_seen_to_come_and_go(run, scenario):
    """As many proofs as steps, for each time that the scenario was run."""
    plan = next(one for one in run.plan.scenarios if one.id == scenario)
    events = [one for one in run.events if one.scenario == scenario and one.repeat == 1]
    kinds = [one.kind for one in events]

    assert kinds.count(EventKind.PROVEN) == len(plan.steps)
    assert kinds.count(EventKind.MEND_PROVEN) == len(plan.steps)


def test_second_array_goes_while_it_serves_alone(run):
    """The steps of a schedule come in their time."""
    times = [
        one.t_ns
        for one in run.events
        if one.scenario == "D3a" and one.repeat == 1 and one.kind is EventKind.INJECTED
    ]

    assert len(times) == 2
    assert 3.5e9 < times[1] - times[0] < 10e9


def test_what_was_not_selected_says_so(run):
    """A skip is never a pass."""
    others = [one for one in run.judgement.scenarios if one.id not in SCENARIOS]

    assert {one.verdict for one in others} == {Verdict.NOT_RUN}
    assert not run.judgement.certified
