"""Which path of the lab a disk belongs to, and what state it was last known in."""

import fnmatch
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from certify.devices import SYSFS, ScsiDisk, scsi_disks
from certify.lab import Lab


@dataclass(frozen=True, slots=True, kw_only=True)
class PathName:
    """A disk by the words of the lab file, and its kernel name."""

    path: str
    unit: str
    device: str


class PathNames:
    """Names disks by the lab file. A disk that is new since the last look is looked up again."""

    def __init__(
        self,
        lab: Lab,
        *,
        sysfs: Path = SYSFS,
        disks: Callable[[Path], list[ScsiDisk]] = scsi_disks,
    ) -> None:
        self._lab = lab
        self._sysfs = sysfs
        self._disks = disks
        self._known: dict[str, PathName | None] = {}
        self._lock = threading.Lock()

    def of_device(self, device: str) -> PathName | None:
        """Return the name of a disk given as "sda", None if it is none of the lab's paths."""
        with self._lock:
            if device.startswith("sd") and device not in self._known:
                self._known = self._look()
                self._known.setdefault(device, None)
            return self._known.get(device)

    def of_number(self, number: str) -> PathName | None:
        """Return the name of a disk given as "8:16"."""
        try:
            device = (self._sysfs / "dev/block" / number).resolve(strict=True).name
        except OSError:
            return None
        return self.of_device(device)

    def forget(self, device: str) -> None:
        """A disk is gone; the next one of that name may be another."""
        with self._lock:
            self._known.pop(device, None)

    def _look(self) -> dict[str, PathName | None]:
        units = {unit.wwid: unit.name for unit in self._lab.logical_unit}
        return {disk.sd: self._name(disk, units) for disk in self._disks(self._sysfs)}

    def _name(self, disk: ScsiDisk, units: dict[str, str]) -> PathName | None:
        unit = next((units[wwid] for wwid in disk.wwids if wwid in units), None)
        if unit is None:
            return None
        for entry in self._lab.path:
            if fnmatch.fnmatchcase(disk.hctl, entry.hctl):
                return PathName(path=entry.name, unit=unit, device=disk.sd)
        return None


SETTLE_NS = 500_000_000
"""How long multipathd may still repeat what it believed before the kernel's own word."""


class PathStates:
    """Whether each disk was last known usable; shared by all watchers, so that a change is told
    once, by whoever saw it first.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[bool, int]] = {}
        self._lock = threading.Lock()

    def told(self, device: str, *, usable: bool, t_ns: int) -> bool:
        """Take the kernel's word of a change at *t_ns*; return whether it is news."""
        with self._lock:
            known, _ = self._known.get(device, (None, -1))
            self._known[device] = (usable, t_ns + SETTLE_NS)
            return known != usable

    def polled(self, device: str, *, usable: bool, asked_ns: int) -> bool:
        """Take an answer to a question of *asked_ns*; return whether it is news.

        An answer from before the last change, or from before multipathd had time to hear of it
        from the kernel, is an old one.
        """
        with self._lock:
            known, valid_ns = self._known.get(device, (None, -1))
            if known == usable or asked_ns < valid_ns:
                return False
            self._known[device] = (usable, asked_ns)
            return True
