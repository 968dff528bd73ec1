"""The same job on Debian's own kernel under emulation: slow, so two faults of the profile."""

import pytest

from reports.folder import load_run
from reports.record import EventKind, Verdict


@pytest.fixture(scope="module")
def finished(cli):
    """One run of an engine kill and an array loss under TCG."""
    return cli(
        *("run", "--destroy", "--kernel", "tcg", "--no-conformance"),
        *("--runs", str(cli.runs), "-k", "E1k or A1"),
        timeout_s=900,
    )


@pytest.fixture(scope="module")
def run(cli, finished):
    """The sealed run folder."""
    assert (cli.latest / "manifest.json").exists(), finished.stderr[-3000:]
    return load_run(cli.latest)


@pytest.mark.parametrize("scenario", ["E1k", "A1"])
def test_the_fault_was_proven_and_no_data_was_lost(run, scenario):
    """What holds on an emulated processor too: function and integrity."""
    (judged,) = [one for one in run.judgement.scenarios if one.id == scenario]
    events = [event for event in run.events if event.scenario == scenario]
    compared = [event for event in events if event.kind is EventKind.COMPARE]

    assert any(event.kind is EventKind.PROVEN for event in events)
    assert (judged.io_errors, judged.mismatches) == (0, 0)
    assert judged.sectors_verified > 0
    assert compared
    assert all(event.data["equal"] for event in compared)
    assert judged.stall_failover_ms is not None


def test_the_report_says_that_times_are_indicative(run):
    """On its first page, from what the run recorded."""
    assert run.run.times_indicative
    assert run.run.lab.kernel == "tcg"


def test_a_part_of_the_profile_does_not_certify(finished, run):
    """A deselected scenario is NOT RUN, which is no pass."""
    assert finished.returncode != 0
    assert not run.judgement.certified
    assert run.judgement.verdict is not Verdict.PASS
