"""The journal knows at every moment what must be undone, and undoes it newest first."""

import json
import os
import signal

import pytest

from fault_injectors import (
    FAULTS,
    ArrayOffline,
    EngineKill,
    FaultError,
    Injection,
    Journal,
    PathPull,
    heal_all,
    injected,
    outstanding,
)
from fault_injectors import journal as journal_module


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "lab" / "faults.jsonl")


@pytest.fixture
def fault():
    return PathPull(subject="path1", hctl=("2:0:1:*",))


def running(shell):
    return {text.strip() for text in shell.files.values()} == {"running"}


def test_the_intent_is_on_disk_before_the_fault_is_applied(shell, journal, fault):
    seen_at_apply = []
    written = shell.write_text

    def write_text(path, text):
        seen_at_apply.append([entry.applied for entry in outstanding(journal.path)])
        written(path, text)

    shell.write_text = write_text
    with injected(fault, shell, journal):
        assert [entry.applied for entry in outstanding(journal.path)] == [True]

    assert seen_at_apply[0] == [False]


def test_leaving_heals_and_clears_the_journal(shell, journal, fault):
    with injected(fault, shell, journal) as injection:
        assert injection.prove().effective

    assert running(shell)
    assert outstanding(journal.path) == []


def test_an_exception_inside_is_healed_and_passed_on(shell, journal, fault):
    with pytest.raises(RuntimeError, match="probe died"), injected(fault, shell, journal):
        raise RuntimeError("probe died")

    assert running(shell)


def test_mending_inside_is_not_repeated_on_leaving(shell, journal, fault):
    with injected(fault, shell, journal) as injection:
        injection.mend()
        assert injection.prove_mended().effective
        shell.calls.clear()

    assert shell.calls == []
    stamps = [injection.inject_from_ns, injection.inject_to_ns, injection.mend_from_ns]
    assert stamps == sorted(stamps)
    assert injection.mend_from_ns <= injection.mend_to_ns


def test_a_fault_that_applies_half_is_healed(shell, journal, fault):
    shell.refused.add("/sys/class/scsi_device/2:0:1:1/device/state")

    with pytest.raises(FaultError, match="2:0:1:1"), injected(fault, shell, journal):
        pytest.fail("the body must not run")
    assert running(shell)


def test_what_cannot_be_healed_stays_in_the_journal(shell, journal, fault):
    injection = Injection.prepared(fault, shell, journal)
    injection.inject()
    shell.refused.add("/sys/class/scsi_device/2:0:1:0/device/state")

    with pytest.raises(FaultError):
        injection.undo(timeout_s=0)
    assert [entry.subject for entry in outstanding(journal.path)] == ["path1"]


def test_a_killed_run_is_healed_by_another_process(shell, tmp_path, fault):
    """A real SIGKILL between apply and heal: the file alone must be enough."""
    path = tmp_path / "faults.jsonl"
    child = os.fork()
    if child == 0:
        Injection.prepared(fault, shell, Journal(path)).inject()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    for state in shell.files:
        shell.files[state] = "offline\n"

    results = heal_all(path, lambda _: shell)

    assert [(r.kind, r.subject, r.healthy) for r in results] == [("path_pull", "path1", True)]
    assert outstanding(path) == []
    assert heal_all(path, lambda _: shell) == []


def test_healing_is_newest_first_and_goes_on_after_a_failure(shell, journal):
    for subject, hctl in (("path1", "2:0:1:0"), ("path2", "2:0:1:1"), ("path3", "3:*")):
        fault = PathPull(subject=subject, hctl=(hctl,))
        Injection.prepared(fault, shell, journal).inject()
    shell.refused.add("/sys/class/scsi_device/2:0:1:1/device/state")

    results = heal_all(journal.path, lambda _: shell, timeout_s=0)

    assert [result.subject for result in results] == ["path3", "path2", "path1"]
    assert [result.healthy for result in results] == [True, False, True]
    assert "\n" not in results[1].detail
    assert [entry.subject for entry in outstanding(journal.path)] == ["path2"]


def test_what_depends_on_an_older_fault_is_healed_too(shell, journal):
    """An engine is not ready before its array is back: all are healed before any is waited for."""
    shell.set_process(42)
    array_state = "/sys/class/scsi_device/2:0:1:0/device/state"
    shell.commands = {
        "pid": lambda: (0, "42\n"),
        "start": lambda: (0, ""),
        "ready": lambda: (0 if shell.files[array_state] == "running\n" else 1, "no array"),
    }
    verbs = {f"{verb}_argv": (verb,) for verb in ("pid", "start", "ready")}
    for fault in (
        ArrayOffline(subject="A", hctl=("2:0:1:0",)),
        EngineKill(subject="engine1", **verbs),
    ):
        Injection.prepared(fault, shell, journal).inject()

    results = heal_all(journal.path, lambda _: shell, timeout_s=0)

    assert [(one.kind, one.healthy) for one in results] == [
        ("engine_kill", True),
        ("array_offline", True),
    ]


def test_a_heal_that_fails_at_first_is_tried_again(shell, journal, fault, monkeypatch):
    monkeypatch.setattr(journal_module.time, "sleep", lambda _: shell.refused.clear())
    Injection.prepared(fault, shell, journal).inject()
    shell.refused.add("/sys/class/scsi_device/2:0:1:0/device/state")

    (result,) = heal_all(journal.path, lambda _: shell, timeout_s=30)

    assert result.healthy
    assert running(shell)


def test_an_unfinished_last_line_was_never_acted_on(journal, fault, shell):
    Injection.prepared(fault, shell, journal).inject()
    with journal.path.open("ab") as stream:
        stream.write(b'{"schema": 1, "key": "x", "step": "int')

    assert len(outstanding(journal.path)) == 1
    Journal(journal.path).applied(outstanding(journal.path)[0].key)
    assert len(outstanding(journal.path)) == 1


def test_a_damaged_line_is_named_and_does_not_stop_healing(journal, fault, shell):
    journal.path.write_bytes(b"garbage\n")
    Injection.prepared(fault, shell, journal).inject()

    results = heal_all(journal.path, lambda _: shell)

    assert [result.healthy for result in results] == [False, True]
    assert f"{journal.path}:1: not an entry" in results[0].detail
    with pytest.raises(FaultError, match="not an entry"):
        outstanding(journal.path)


def test_an_unknown_kind_is_not_healthy_and_says_what_is_known(journal, shell):
    line = {"schema": 1, "key": "k", "step": "intent", "utc": "", "reach": "local"}
    line |= {"kind": "meteorite", "params": {"subject": "engine1"}}
    journal.path.write_text(json.dumps(line) + "\n")

    (result,) = heal_all(journal.path, lambda _: shell)

    assert not result.healthy
    assert "'meteorite': expected one of" in result.detail


def test_a_lab_without_a_journal_has_nothing_outstanding(tmp_path):
    assert outstanding(tmp_path / "none.jsonl") == []
    assert heal_all(tmp_path / "none.jsonl") == []


def example(kind):
    """A prepared value of each kind, every field set."""
    cls = FAULTS[kind]
    engine = {f"{name}_argv": (name, "x") for name in ("pid", "start", "ready")}
    table = {"devices": ("d",), "tables": ("0 8 linear 7:0 0",)}
    command = {f"{name}_argv": (name,) for name in ("apply", "probe", "heal", "healed")}
    fields = {
        **dict.fromkeys(
            ("command", "array_cut", "engine_leave", "link_cut", "unit_unmap"), command
        ),
        "array_busy": command,
        "array_slow": {**table, "delay_ms": 7},
        "array_tail": {**table, "delay_ms": 7, "per_mille": 3, "stripes": 2},
        "array_shrunk": {**table, "keep_percent": 40},
        "array_errors": table,
        "array_write_errors": table,
        "media_error": {**table, "lbas": (0, 8), "target": "dust"},
        "array_hang": {"devices": ("d", "e")},
        "array_transition": {"devices": ("d",), "backstores": ("/b",)},
        "block_corrupt": {"device": "d", "lba": 9, "before": "00" * 512},
        "engine_kill": {**engine, "timeout_s": 2.5, "pid": 42, "start_time": 777},
        "manager_hang": {**engine, "timeout_s": 2.5, "pid": 42, "start_time": 777},
        "engine_hang": {**engine, "timeout_s": 2.5, "pid": 42, "start_time": 777},
    }
    offline = {"hctl": ("2:*",), "devices": ("2:0:0:0",)}
    return cls(subject="s", **fields.get(kind, offline))


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_kind_survives_the_journal(journal, kind):
    fault = example(kind)
    journal.intend(fault, reach="local")

    (entry,) = outstanding(journal.path)

    assert fault == entry.fault()


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_wrong_parameters_are_named(kind):
    params = example(kind).to_params()
    del params["subject"]

    with pytest.raises(FaultError, match=r"unknown: \['pace'\], missing: \['subject'\]"):
        FAULTS[kind].from_params({**params, "pace": 1})


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_kind_has_a_label_and_a_colour_of_its_own(kind):
    others = [cls for name, cls in FAULTS.items() if name != kind]

    assert FAULTS[kind].kind == kind
    assert FAULTS[kind].label not in {cls.label for cls in others}
    assert FAULTS[kind].colour not in {cls.colour for cls in others}
