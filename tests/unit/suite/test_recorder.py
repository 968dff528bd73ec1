"""What was handed over is on disk in order, by scenario, and a crash loses no whole line."""

from pathlib import Path

import pytest

from certify.history import read_history, read_ios, read_spool, spool_path
from certify.recorder import Recorder
from reports.record import EventKind, RecordError, read_events

from .conftest import make_io, make_plan


def test_ios_are_on_disk_after_a_flush(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.begin("E1k", 1)
    recorder.io(make_io(k=1))
    recorder.io(make_io(k=2))
    recorder.flush()

    assert read_ios(tmp_path, "E1k", 1) == [make_io(k=1), make_io(k=2)]
    recorder.close()


def test_events_are_on_disk_at_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, clock=lambda: 7)
    recorder.begin("E1k", 2)
    written = recorder.event(EventKind.INJECTED, "engine1", "killed", {"pid": 9})

    (read,) = read_events(tmp_path / "events.jsonl")
    assert read == written
    assert (read.t_ns, read.scenario, read.repeat, read.data) == (7, "E1k", 2, {"pid": 9})
    recorder.close()


def test_a_standstill_waits_for_no_file_and_is_written_with_the_next_ios(tmp_path: Path) -> None:
    """Who tells it measures: while a file is written, it must not wait."""
    recorder = Recorder(tmp_path, clock=lambda: 7)
    recorder.begin("E1k", 1)
    with recorder._lock:  # as while I/Os are written
        told = recorder.event(EventKind.STANDSTILL, "suite", "40 ms", {"from_ns": 3, "ms": 40.0})
    recorder.end()

    assert list(read_events(tmp_path / "events.jsonl")) == [told]
    assert told.scenario == "E1k"
    recorder.close()


def test_scenarios_are_kept_apart(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    for scenario, k in (("P1", 1), ("E1k", 2)):
        recorder.begin(scenario, 1)
        recorder.io(make_io(k=k))
        recorder.event(EventKind.PHASE, "done")
        recorder.end()
    recorder.close()

    assert [io.k for io in read_ios(tmp_path, "E1k", 1)] == [2]
    history = read_history(tmp_path, make_plan(), 1)
    assert [(event.scenario, event.subject) for event in history.events] == [("E1k", "done")]


def test_line_that_a_crash_cut_short_is_passed_over(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.begin("E1k", 1)
    recorder.io(make_io(k=1))
    recorder.close()
    with spool_path(tmp_path, "E1k", 1).open("ab") as stream:
        stream.write(b'["app-wri')

    assert [io.k for io in read_ios(tmp_path, "E1k", 1)] == [1]


def test_damage_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    path.write_bytes(b"[nonsense]\n[]\n")

    with pytest.raises(RecordError, match="spool:1: not an I/O"):
        list(read_spool(path))


def test_nothing_recorded_is_an_empty_history(tmp_path: Path) -> None:
    assert read_ios(tmp_path, "E1k", 1) == []
