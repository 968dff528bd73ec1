"""A peer is run by the same suite: what it can show is judged, what it has not got is NOT RUN."""

import pytest

from reports.folder import load_run
from reports.record import EventKind, Verdict


@pytest.fixture(scope="module")
def run(cli, need_uml):
    """An array is lost under LIO over MD RAID-1, and an engine would be killed if it could."""
    done = cli(
        *("run", "--destroy", "--kernel", "uml", "--target", "md-raid1", "--no-conformance"),
        *("--runs", str(cli.runs), "-k", "A1 or E1k"),
        timeout_s=300,
    )
    assert (cli.latest / "manifest.json").exists(), done.stderr[-3000:]
    return load_run(cli.latest)


def judged(run, scenario):
    """What was judged of one scenario."""
    return next(one for one in run.judgement.scenarios if one.id == scenario)


def test_the_mirror_keeps_the_data_and_is_whole_again(run):
    """MD goes on with one member; the other is put back and copied to."""
    events = [event for event in run.events if event.scenario == "A1"]
    compared = [event.data["equal"] for event in events if event.kind is EventKind.COMPARE]
    restored = [event.data["restored"] for event in events if event.kind is EventKind.REDUNDANCY]

    assert judged(run, "A1").mismatches == 0
    assert judged(run, "A1").io_errors == 0
    assert judged(run, "A1").sectors_verified > 0
    assert compared
    assert all(compared)
    assert restored == [True]


def test_an_engine_that_is_no_process_is_not_killed(run):
    """NOT RUN, with the reason, and so no certificate."""
    engine = judged(run, "E1k")

    assert engine.verdict is Verdict.NOT_RUN
    assert "no command pid" in engine.reason
    assert run.judgement.verdict is not Verdict.PASS


def test_the_report_names_the_peer(run):
    """On the cover: what was under test."""
    assert run.run.system_under_test.name == "LIO over MD RAID-1"
    assert run.run.lab.target == "md-raid1"
