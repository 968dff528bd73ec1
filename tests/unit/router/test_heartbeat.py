"""A hung engine is told from one that waits for a busy processor."""

import os
import signal
import subprocess

import pytest

from reference_router.heartbeat import START_LIMIT_NS, Pulse, patience, process_state


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


def test_an_engine_that_starts_has_its_time_until_the_first_beat():
    pulse = Pulse(400)
    pulse.started(1000)

    assert pulse.limit_ns == START_LIMIT_NS
    assert pulse.silent_ns(1500) == 500

    pulse.beat(5000)
    assert (pulse.limit_ns, pulse.silent_ns(5300)) == (400, 300)


def test_an_engine_that_starts_keeps_its_time_when_its_supervisor_was_held_up():
    """To start it takes a fork, on a busy machine longer than the supervisor thinks it may sleep.

    It then took the engine for one that had beaten, and killed it while it loaded its modules.
    """
    pulse = Pulse(400)
    pulse.started(1000)
    pulse.excuse(1300)

    assert pulse.limit_ns == START_LIMIT_NS
    assert pulse.silent_ns(3000) == 1700


def test_an_engine_that_beat_is_excused_no_longer_than_its_supervisor_was_held_up():
    pulse = Pulse(400)
    pulse.started(1000)
    pulse.beat(2000)
    pulse.excuse(9000)

    assert (pulse.limit_ns, pulse.silent_ns(9100)) == (400, 100)


def test_an_engine_that_is_started_again_has_its_time_again():
    pulse = Pulse(400)
    pulse.started(1000)
    pulse.beat(2000)
    pulse.started(3000)

    assert pulse.limit_ns == START_LIMIT_NS
