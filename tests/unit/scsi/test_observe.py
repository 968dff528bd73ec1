"""Watchers tell each change once, by the names of the lab file, and say when they cannot watch."""

import threading

import pytest

from certify import observe
from certify.lab import LabError
from certify.path_states import SETTLE_NS, PathNames, PathStates
from reports.record import EventKind


@pytest.fixture
def names(lab, sysfs):
    numbers = sysfs / "dev/block"
    numbers.mkdir(parents=True)
    for number, sd in (("8:0", "sda"), ("8:32", "sdc")):
        (numbers / number).symlink_to(next(sysfs.glob(f"class/scsi_device/*/device/block/{sd}")))
    return PathNames(lab, sysfs=sysfs)


class Events:
    """Collects what is emitted, and can be waited for."""

    def __init__(self):
        self.all = []
        self.arrived = threading.Event()

    def __call__(self, kind, subject, detail, data, t_ns):
        self.all.append((kind, subject, detail, data))
        self.arrived.set()

    def states(self):
        return [
            (subject, data["lu"], data["state"], data["source"])
            for kind, subject, _, data in self.all
            if kind is EventKind.PATH_STATE
        ]


@pytest.fixture
def events():
    return Events()


def uevent(action, number, *, dm="dm-0"):
    return {
        "ACTION": "change",
        "SUBSYSTEM": "block",
        "DEVPATH": f"/devices/virtual/block/{dm}",
        "DM_ACTION": action,
        "DM_PATH": number,
        "DM_NR_VALID_PATHS": "1",
        "SECRET": "not ours",
    }


def test_the_first_look_tells_every_path(names, events, daemon):
    observe.PathStateObserver(names, PathStates(), daemon=daemon).look(events)

    assert sorted(events.states()) == [
        ("path1", "lu0", "active", "multipathd"),
        ("path1", "lu1", "active", "multipathd"),
        ("path2", "lu0", "active", "multipathd"),
        ("path2", "lu1", "active", "multipathd"),
    ]


def test_later_looks_tell_changes_only(names, events, daemon):
    observer = observe.PathStateObserver(names, PathStates(), daemon=daemon)
    observer.look(events)
    events.all.clear()
    daemon.states["sdc"] = ("failed", "faulty")

    observer.look(events)
    observer.look(events)

    assert events.states() == [("path2", "lu0", "failed", "multipathd")]


def test_the_kernels_word_comes_first_and_is_not_repeated(names, events, daemon):
    states = PathStates()
    poller = observe.PathStateObserver(names, states, daemon=daemon)
    poller.look(events)
    events.all.clear()

    observe.UeventObserver(names, states).take(uevent("PATH_FAILED", "8:32"), events, 1 << 62)
    daemon.states["sdc"] = ("failed", "faulty")
    poller.look(events)

    assert events.states() == [("path2", "lu0", "failed", "kernel")]


def test_an_answer_older_than_the_last_change_is_no_news():
    states = PathStates()

    assert states.polled("sda", usable=True, asked_ns=10)
    assert states.polled("sda", usable=False, asked_ns=30)
    assert not states.polled("sda", usable=True, asked_ns=20)
    assert states.polled("sda", usable=True, asked_ns=40)


def test_multipathd_has_time_to_hear_of_what_the_kernel_said():
    states = PathStates()
    states.polled("sda", usable=True, asked_ns=10)

    assert states.told("sda", usable=False, t_ns=20)
    assert not states.polled("sda", usable=True, asked_ns=30)
    assert states.polled("sda", usable=True, asked_ns=20 + SETTLE_NS)


def test_the_kernel_is_believed_at_once():
    states = PathStates()
    states.told("sda", usable=False, t_ns=20)

    assert states.told("sda", usable=True, t_ns=21)
    assert not states.told("sda", usable=True, t_ns=22)


def test_a_uevent_keeps_what_is_known_of_it(names, events):
    observer = observe.UeventObserver(names, PathStates())

    observer.take(uevent("PATH_REINSTATED", "8:0"), events, 5)

    kind, subject, detail, data = events.all[0]
    assert (kind, subject, detail) == (EventKind.UEVENT, "path1", "PATH_REINSTATED 8:0")
    assert data["DM_NR_VALID_PATHS"] == "1"
    assert "SECRET" not in data
    assert events.states() == [("path1", "lu0", "active", "kernel")]


def test_uevents_of_other_devices_keep_their_kernel_name(names, events):
    properties = {"ACTION": "add", "SUBSYSTEM": "block", "DEVPATH": "/devices/x/block/sdz"}

    observe.UeventObserver(names, PathStates()).take(properties, events, 5)

    assert [(kind, subject, detail) for kind, subject, detail, _ in events.all] == [
        (EventKind.UEVENT, "sdz", "add sdz")
    ]


def test_a_removed_disk_is_looked_up_again_when_its_name_returns(lab, sysfs, events):
    looks = []

    def disks(root):
        looks.append(root)
        return []

    names = PathNames(lab, sysfs=sysfs, disks=disks)
    names.of_device("sda")
    names.of_device("sda")
    gone = {"ACTION": "remove", "SUBSYSTEM": "block", "DEVPATH": "/devices/x/block/sda"}
    observe.UeventObserver(names, PathStates()).take(gone, events, 5)
    names.of_device("sda")

    assert len(looks) == 2


def test_a_poller_without_multipathd_does_not_start(names, events, daemon):
    daemon.error = LabError("multipathd: no answer")

    with pytest.raises(LabError, match="no answer"):
        observe.PathStateObserver(names, PathStates(), daemon=daemon).start(events)


def test_a_poller_whose_daemon_falls_silent_says_so_once(names, events, daemon):
    observer = observe.PathStateObserver(names, PathStates(), daemon=daemon, interval_s=0.001)
    observer.start(events)
    events.all.clear()
    events.arrived.clear()
    daemon.error = LabError("multipathd: no answer")

    assert events.arrived.wait(10)
    observer.stop()

    notes = [(kind, subject, detail) for kind, subject, detail, _ in events.all]
    assert notes == [(EventKind.NOTE, "multipathd", "multipathd: no answer")]


def test_the_kernel_log_is_told_from_now_on(events, tmp_path):
    log = tmp_path / "kmsg"
    log.write_bytes(b"6,1,100,-;before\n")
    observer = observe.KernelLogObserver(str(log))
    observer.start(events)
    with log.open("ab") as stream:
        stream.write(b"3,2,200,-;after\n")

    assert events.arrived.wait(10)
    observer.stop()
    assert [(kind, detail) for kind, _, detail, _ in events.all] == [(EventKind.KERNEL, "after")]


def test_a_kernel_log_that_cannot_be_read_is_an_error(events, tmp_path):
    with pytest.raises(LabError, match="the kernel's log cannot be read"):
        observe.KernelLogObserver(str(tmp_path / "none")).start(events)


def test_kernel_records_are_decoded():
    record = b"4,163,17160000,-;sd 0:0:1:0: rejecting I/O; offline\n SUBSYSTEM=scsi\n"

    text, data = observe.decode_kmsg(record)

    assert text == "sd 0:0:1:0: rejecting I/O; offline"
    assert data == {"level": 4, "sequence": 163, "kernel_us": 17160000}


class Recorded:
    """An observer that notes what is done with it."""

    def __init__(self, log, name, error=None):
        self.log, self.name, self.error = log, name, error

    def start(self, emit):
        if self.error:
            raise self.error
        self.log.append(f"start {self.name}")

    def stop(self):
        self.log.append(f"stop {self.name}")


def test_all_start_or_none_stays(events):
    log = []
    observers = [Recorded(log, "a"), Recorded(log, "b"), Recorded(log, "c", LabError("no c"))]

    with pytest.raises(LabError, match="no c"):
        observe.start_all(observers, events)
    assert log == ["start a", "start b", "stop b", "stop a"]


def test_stopping_what_never_started_is_harmless(names, events):
    observers = [
        observe.KernelLogObserver(),
        observe.UeventObserver(names, PathStates()),
        observe.PathStateObserver(names, PathStates()),
    ]

    observe.stop_all(observers)

    assert events.all == []
