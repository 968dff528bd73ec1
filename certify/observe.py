"""Watchers of the host while faults are injected: uevents, path states, kernel log, heartbeat.

Each runs in a thread of its own and hands what it sees to `emit`, stamped when it was seen. They
only watch; what it means is for the judge.
"""

import os
import select
import time
from collections.abc import Sequence
from typing import Any, Protocol

import pyudev

from certify.heartbeat import Heartbeat, beat_s_of
from certify.lab import Lab, LabError
from certify.multipath import Daemon, LocalDaemon, read_maps
from certify.path_states import PathNames, PathStates
from certify.watcher import Emit, Watcher
from reports.record import EventKind

POLL_S = 0.1
"""How often multipathd is asked; the kernel's own events give the exact moment in between."""
STOP_S = 0.2
"""How soon a watcher notices that it is to stop."""
KMSG = "/dev/kmsg"
KMSG_RECORD_BYTES = 8192
UEVENT_SUBSYSTEMS = (
    "block",
    "scsi",
    "scsi_device",
    "scsi_generic",
    "iscsi_session",
    "fc_remote_ports",
)
UEVENT_PROPERTIES = (
    "ACTION",
    "SUBSYSTEM",
    "DEVTYPE",
    "DEVPATH",
    "DEVNAME",
    "MAJOR",
    "MINOR",
    "SEQNUM",
    "SDEV_UA",
    "DM_ACTION",
    "DM_PATH",
    "DM_NR_VALID_PATHS",
    "DISK_RO",
)


class Observer(Protocol):
    """Watches from `start` to `stop`."""

    def start(self, emit: Emit) -> None:
        """Begin; returns when watching has begun. Raises LabError if it cannot."""
        ...

    def stop(self) -> None:
        """End, and wait until nothing more will be emitted. Harmless if never started."""
        ...


class PathStateObserver:
    """multipathd's view of every path of the lab, as PATH_STATE events on change.

    The first look emits the state of every path, so that a timeline has a beginning.
    """

    def __init__(
        self,
        names: PathNames,
        states: PathStates,
        *,
        daemon: Daemon | None = None,
        interval_s: float = POLL_S,
    ) -> None:
        self._names = names
        self._states = states
        self._daemon = daemon or LocalDaemon()
        self._interval_s = interval_s
        self._watcher: Watcher | None = None
        self._silent = False

    def start(self, emit: Emit) -> None:
        """See Observer.start."""
        self.look(emit)

        def step() -> None:
            watcher.wait(self._interval_s)
            self.look(emit)
            self._silent = False

        def fail(error: Exception) -> None:
            if not self._silent:
                self._silent = True
                emit(EventKind.NOTE, "multipathd", str(error), {}, time.monotonic_ns())

        watcher = self._watcher = Watcher("path-states", step, fail)
        watcher.start()

    def stop(self) -> None:
        """See Observer.stop."""
        if self._watcher:
            self._watcher.stop()

    def look(self, emit: Emit) -> None:
        """Ask once, and emit what changed; raises LabError when multipathd does not answer.

        The stamp is the time of asking: an answer may be older than its arrival, never newer.
        """
        asked_ns = time.monotonic_ns()
        for one in read_maps(self._daemon):
            for path in one.paths:
                name = self._names.of_device(path.device)
                if name is None or not self._states.polled(
                    path.device, usable=path.is_usable, asked_ns=asked_ns
                ):
                    continue
                data = {
                    "state": "active" if path.is_usable else "failed",
                    "lu": name.unit,
                    "device": path.device,
                    "dm_state": path.dm_state,
                    "checker_state": path.checker_state,
                    "device_state": path.device_state,
                    "source": "multipathd",
                }
                detail = (
                    f"{path.device} of {name.unit}: dm {path.dm_state}, "
                    f"checker {path.checker_state}, device {path.device_state}"
                )
                emit(EventKind.PATH_STATE, name.path, detail, data, asked_ns)


class UeventObserver:
    """Kernel uevents of disks and maps; a path that device-mapper fails or reinstates is also
    a PATH_STATE, at the moment the kernel said so.
    """

    def __init__(self, names: PathNames, states: PathStates) -> None:
        self._names = names
        self._states = states
        self._watcher: Watcher | None = None

    def start(self, emit: Emit) -> None:
        """See Observer.start."""
        try:
            monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="kernel")
            for subsystem in UEVENT_SUBSYSTEMS:
                monitor.filter_by(subsystem)
            monitor.start()
        except (OSError, ImportError) as error:
            raise LabError(f"uevents cannot be watched: {error}") from error

        def step() -> None:
            device = monitor.poll(timeout=STOP_S)
            if device is not None:
                self.take(dict(device.properties), emit, time.monotonic_ns())

        def fail(error: Exception) -> None:
            emit(EventKind.NOTE, "uevents", str(error), {}, time.monotonic_ns())

        self._watcher = Watcher("uevents", step, fail)
        self._watcher.start()

    def stop(self) -> None:
        """See Observer.stop."""
        if self._watcher:
            self._watcher.stop()

    def take(self, properties: dict[str, str], emit: Emit, t_ns: int) -> None:
        """Emit one uevent, and the path state it tells."""
        data = {key: properties[key] for key in UEVENT_PROPERTIES if key in properties}
        node = properties.get("DEVPATH", "").rpartition("/")[2]
        what = properties.get("DM_ACTION") or properties.get("ACTION", "")
        number = properties.get("DM_PATH", "")
        name = self._names.of_number(number) if number else self._names.of_device(node)
        if properties.get("ACTION") == "remove":
            self._names.forget(node)
        subject = name.path if name else node
        emit(EventKind.UEVENT, subject, f"{what} {number or node}", data, t_ns)
        usable = {"PATH_FAILED": False, "PATH_REINSTATED": True}.get(what)
        if usable is None or name is None:
            return
        device = name.device
        if self._states.told(device, usable=usable, t_ns=t_ns):
            state = {
                "state": "active" if usable else "failed",
                "lu": name.unit,
                "device": device,
                "valid_paths": properties.get("DM_NR_VALID_PATHS", ""),
                "source": "kernel",
            }
            detail = f"{device} of {name.unit}: device-mapper {what}"
            emit(EventKind.PATH_STATE, name.path, detail, state, t_ns)


class KernelLogObserver:
    """The kernel's log from now on, one KERNEL event per record."""

    def __init__(self, device: str = KMSG) -> None:
        self._device = device
        self._descriptor = -1
        self._watcher: Watcher | None = None

    def start(self, emit: Emit) -> None:
        """See Observer.start."""
        try:
            self._descriptor = os.open(self._device, os.O_RDONLY | os.O_NONBLOCK)
            os.lseek(self._descriptor, 0, os.SEEK_END)
        except OSError as error:
            raise LabError(f"{self._device}: the kernel's log cannot be read: {error}") from error

        def step() -> None:
            if select.select([self._descriptor], [], [], STOP_S)[0]:
                self._take(emit)

        def fail(error: Exception) -> None:
            emit(EventKind.NOTE, "kernel log", str(error), {}, time.monotonic_ns())

        self._watcher = Watcher("kernel-log", step, fail)
        self._watcher.start()

    def stop(self) -> None:
        """See Observer.stop."""
        if self._watcher:
            self._watcher.stop()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, emit: Emit) -> None:
        try:
            record = os.read(self._descriptor, KMSG_RECORD_BYTES)
        except BlockingIOError:
            return
        except BrokenPipeError:
            # The ring buffer overran us (Documentation/ABI/testing/dev-kmsg); reading goes on.
            emit(
                EventKind.KERNEL, "kernel", "records were lost", {"lost": True}, time.monotonic_ns()
            )
            return
        if not record:
            return
        text, data = decode_kmsg(record)
        emit(EventKind.KERNEL, "kernel", text, data, time.monotonic_ns())


def decode_kmsg(record: bytes) -> tuple[str, dict[str, Any]]:
    """Return the text of one /dev/kmsg record, and its level, sequence and time.

    Format "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT", continued by lines that begin with a blank
    (Documentation/ABI/testing/dev-kmsg). The time is the kernel's own clock, kept beside ours.
    """
    head, _, rest = record.decode("utf-8", "replace").partition(";")
    priority, sequence, microseconds = (int(field) for field in head.split(",")[:3])
    text = rest.partition("\n")[0]
    return text, {"level": priority & 7, "sequence": sequence, "kernel_us": microseconds}


def observers_of(
    lab: Lab, *, daemon: Daemon | None = None, poll_s: float = POLL_S
) -> list[Observer]:
    """Return all watchers of this host, which share what they know of path states.

    *poll_s* is how often multipathd is asked, in seconds.
    """
    names, states = PathNames(lab), PathStates()
    return [
        Heartbeat(beat_s=beat_s_of(lab)),
        KernelLogObserver(),
        UeventObserver(names, states),
        PathStateObserver(names, states, daemon=daemon, interval_s=poll_s),
    ]


def start_all(observers: Sequence[Observer], emit: Emit) -> None:
    """Start *observers*; if one cannot start, stop those that did and raise its LabError."""
    started: list[Observer] = []
    try:
        for observer in observers:
            observer.start(emit)
            started.append(observer)
    except LabError:
        stop_all(started)
        raise


def stop_all(observers: Sequence[Observer]) -> None:
    """Stop *observers*, last started first."""
    for observer in reversed(observers):
        observer.stop()
