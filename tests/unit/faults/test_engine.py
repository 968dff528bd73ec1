"""Engine kill and hang signal the right process, prove it and bring the engine back."""

import pytest

from fault_injectors import EngineHang, EngineKill, FaultError

ENGINE = {
    "subject": "engine1",
    "pid_argv": ("pid",),
    "start_argv": ("start",),
    "ready_argv": ("ready",),
}


@pytest.fixture
def engine(shell):
    """An engine of process 42 that is ready while that process lives."""
    shell.set_process(42)

    def start():
        shell.set_process(43, start_time=999)
        return 0, ""

    def ready():
        alive = {"/proc/42/stat", "/proc/43/stat"} & set(shell.files)
        return (0, "") if alive else (1, "engine1 is dead")

    shell.commands = {"pid": lambda: (0, "42\n"), "start": start, "ready": ready}
    return shell


def test_kill_is_proven_by_the_process_being_gone(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    before = fault.probe(engine)
    fault.apply(engine)

    assert not before.effective
    assert fault.probe(engine).seen == "process 42 is gone"
    assert not fault.healed(engine).effective


def test_a_killed_engine_is_started(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    fault.apply(engine)
    fault.heal(engine)

    assert "start" in engine.calls
    assert fault.healed(engine).effective


def test_heal_of_an_engine_that_was_never_killed_does_nothing(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    engine.calls.clear()

    fault.heal(engine)

    assert engine.calls == []


def test_a_refusal_to_start_an_engine_that_serves_is_no_error(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    fault.apply(engine)
    engine.set_process(43, start_time=999)
    engine.commands["start"] = lambda: (1, "it runs already")

    fault.heal(engine)

    assert fault.healed(engine).effective


def test_a_zombie_is_a_dead_engine(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    engine.set_process(42, state="Z")

    assert fault.probe(engine).effective


def test_another_process_with_the_same_id_is_never_signalled(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    engine.set_process(42, start_time=778)

    with pytest.raises(FaultError, match="process 42 is gone before the fault"):
        fault.apply(engine)
    assert "SIGKILL 42" not in engine.calls


def test_hang_is_proven_by_the_stopped_state_and_ends_by_going_on(engine):
    fault = EngineHang(**ENGINE).prepare(engine)
    fault.apply(engine)

    assert fault.probe(engine).seen == "process 42 is in state T (stopped)"
    assert not fault.healed(engine).effective
    fault.heal(engine)
    assert "SIGCONT 42" in engine.calls
    assert "start" not in engine.calls
    assert fault.healed(engine).effective


def test_a_hung_engine_that_was_killed_meanwhile_counts_as_proven_and_says_so(engine):
    fault = EngineHang(**ENGINE).prepare(engine)
    fault.apply(engine)
    del engine.files["/proc/42/stat"]

    proof = fault.probe(engine)

    assert proof.effective
    assert "killed the stopped engine" in proof.seen
    fault.heal(engine)
    assert "start" in engine.calls


def test_an_engine_that_does_not_run_is_refused(engine):
    engine.commands["pid"] = lambda: (0, "none\n")

    with pytest.raises(FaultError, match="engine1: expected a process id, its command said 'none'"):
        EngineKill(**ENGINE).prepare(engine)


def test_a_start_that_fails_is_reported_with_its_words(engine):
    fault = EngineKill(**ENGINE).prepare(engine)
    fault.apply(engine)
    engine.commands["start"] = lambda: (3, "no peer")

    with pytest.raises(
        FaultError, match="engine1 cannot be started: start: exit status 3: no peer"
    ):
        fault.heal(engine)
