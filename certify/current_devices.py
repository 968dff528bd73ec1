"""The devices of a lab as they are now: one that went away and came back has other names."""

from dataclasses import dataclass, field
from pathlib import Path

from certify.devices import SYSFS, LabDevices, PathDevice, resolve_found
from certify.lab import Lab


@dataclass(slots=True)
class CurrentDevices:
    """What `resolve` found, and finds again when the kernel has given a disk another name.

    Looking whether it has costs a few stat(2), for it is done while stalls are measured.
    """

    lab: Lab
    devices: LabDevices
    sysfs: Path = SYSFS
    _wanted: frozenset[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._wanted = _names(self.devices)

    def now(self) -> LabDevices:
        """Return the devices as they are; those that are away are left out."""
        here = _names(self.devices) == self._wanted
        if not here or not all(self._is_there(path) for path in self.devices.all_paths):
            self.devices = resolve_found(self.lab, [], sysfs=self.sysfs)
        return self.devices

    def problems(self) -> list[str]:
        """Return a line per path that has no device of a logical unit any more."""
        return [
            f"path {path}: no device of logical unit {unit}"
            for path, unit in sorted(self._wanted - _names(self.now()))
        ]

    def _is_there(self, path: PathDevice) -> bool:
        device = self.sysfs / f"class/scsi_device/{path.disk.hctl}/device"
        nodes = (f"scsi_generic/{path.disk.sg}", f"block/{path.disk.sd}")
        return all((device / node).exists() for node in nodes)


def _names(devices: LabDevices) -> frozenset[tuple[str, str]]:
    return frozenset((path.path, path.unit.name) for path in devices.all_paths)
