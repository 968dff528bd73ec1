"""A run that is killed in the middle of a fault leaves a journal; `certify heal` undoes it."""

import signal
import time

import pytest

from fault_injectors import outstanding
from reports.record import EventKind, RecordError, read_events

INJECTED_TIMEOUT_S = 90


def wait_until_injected(cli, before) -> None:
    """Return once a run after *before* has its fault in; fail when none has after a while."""
    deadline = time.monotonic() + INJECTED_TIMEOUT_S
    while time.monotonic() < deadline:
        if cli.latest != before and has_injected(cli):
            return
        time.sleep(0.1)
    pytest.fail(f"no fault was injected within {INJECTED_TIMEOUT_S} s")


def has_injected(cli) -> bool:
    """Return whether the newest run has injected its fault."""
    events = cli.latest / "events.jsonl"
    try:
        return events.exists() and any(
            event.kind is EventKind.INJECTED for event in read_events(events)
        )
    except RecordError:
        return False  # a line is being written


@pytest.mark.parametrize("scenario", ["E1k", "A1"])
def test_heal_after_sigkill(standing_lab, scenario):
    """The fault is still in when the run dies; heal undoes it; check finds nothing wrong."""
    cli = standing_lab
    before = cli.latest
    run = cli.start(
        *("run", "--destroy", "--no-conformance", "--runs", str(cli.runs), "-k", scenario)
    )
    wait_until_injected(cli, before)
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=10)

    left = [entry.kind for entry in outstanding(cli.latest / "journal.jsonl")]
    healed = cli("heal", "--runs", str(cli.runs))
    checked = cli("check")
    healed_again = cli("heal", "--runs", str(cli.runs))

    assert len(left) == 1
    assert healed.returncode == 0, healed.stdout + healed.stderr
    assert "healed" in healed.stdout
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert healed_again.returncode == 0


def test_what_was_recorded_before_the_kill_is_on_disk(standing_lab):
    """Evidence is written through to the host while the run goes on."""
    io = list((standing_lab.latest / "io").iterdir())

    assert io
    assert sum(path.stat().st_size for path in io) > 10_000
