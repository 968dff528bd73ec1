"""A hung engine is told from one that waits for a busy processor."""

import os
import signal
import subprocess

import pytest

from reference_router.heartbeat import patience, process_state


@pytest.mark.parametrize("state", ["T", "t", "S", "D", "Z", ""])
def test_an_engine_that_could_beat_and_does_not_gets_no_more_than_the_limit(state):
    """Stopped, asleep or blocked: it hangs."""
    assert patience(400, state) == 400


def test_an_engine_that_waits_for_the_processor_gets_more():
    """Killing it would take the second engine of a pair that has just lost its first."""
    assert 400 < patience(400, "R") <= 2000


def test_a_stopped_process_is_seen_as_stopped():
    """As /proc says it, whatever the process is called."""
    with subprocess.Popen(["/bin/sleep", "1000"]) as process:
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        state = process_state(process.pid)
        process.kill()

    assert state == "T"


def test_a_process_that_is_gone_has_no_state():
    """It may end between the time-out and the look."""
    process = subprocess.Popen(["/bin/true"])
    process.wait()

    assert process_state(process.pid) == ""
