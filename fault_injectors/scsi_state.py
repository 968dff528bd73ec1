"""SCSI devices taken offline and back by sysfs, the base of three faults.

Writing "offline" to an sd's state makes the host fail new commands at once (SDEV_OFFLINE,
scsi_device_state_check in drivers/scsi/scsi_lib.c), as a pulled cable does after the transport
gave up; commands in flight are left alone. "running" rescans the device and starts its queue.
The kernel takes either word only with a newline (store_state_field, scsi_sysfs.c).
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.shell import FaultError, Shell

SYSFS = "/sys/class/scsi_device"
OFFLINE = "offline"
RUNNING = "running"


def state_file(hctl: str) -> str:
    """Return the sysfs file of the state of host:channel:target:lun."""
    return f"{SYSFS}/{hctl}/device/state"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiOffline:
    """All SCSI devices that match a glob of `hctl` are offline.

    `devices` are the concrete ones, found by `prepare`.
    """

    subject: str
    hctl: tuple[str, ...]
    devices: tuple[str, ...] = ()

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses a subject without devices or with one not running."""
        found: list[str] = []
        for pattern in self.hctl:
            found += [path.rpartition("/")[2] for path in shell.glob(f"{SYSFS}/{pattern}")]
        if not found:
            raise FaultError(f"{self.subject}: no SCSI device matches {' '.join(self.hctl)}")
        for hctl in found:
            if (state := self._state(shell, hctl)) != RUNNING:
                raise FaultError(
                    f"{self.subject}: {hctl} is {state} before the fault; expected {RUNNING}"
                )
        return replace(self, devices=tuple(dict.fromkeys(found)))

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        for hctl in self._prepared():
            shell.write_text(state_file(hctl), f"{OFFLINE}\n")

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: every device says offline."""
        return self._proof(shell, OFFLINE)

    def heal(self, shell: Shell) -> None:
        """See Fault.heal; tries every device, then raises what went wrong."""
        failed: list[str] = []
        for hctl in self._prepared():
            try:
                if self._state(shell, hctl) != RUNNING:
                    shell.write_text(state_file(hctl), f"{RUNNING}\n")
            except FaultError as error:
                failed.append(str(error))
        if failed:
            raise FaultError(f"{self.subject}: {'; '.join(failed)}")

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: every device says running, and has a size.

        One that was given back while its target did not serve was rescanned in vain: the kernel
        takes its size for 0 (sd_revalidate_disk, drivers/scsi/sd.c) and asks no more. So it is
        rescanned until there is an answer.
        """
        proof = self._proof(shell, RUNNING)
        empty = [hctl for hctl in self._prepared() if self._is_empty(shell, hctl)]
        if not proof.effective or not empty:
            return proof
        for hctl in empty:
            shell.write_text(f"{SYSFS}/{hctl}/device/rescan", "1\n")
        return Proof(effective=False, seen=f"{proof.seen}; rescanned for size 0: {empty[0]}")

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _prepared(self) -> tuple[str, ...]:
        if not self.devices:
            raise FaultError(f"{self.subject}: not prepared; no SCSI devices are known")
        return self.devices

    def _proof(self, shell: Shell, wanted: str) -> Proof:
        states = {hctl: self._state(shell, hctl) for hctl in self._prepared()}
        seen = ", ".join(f"{hctl} {state}" for hctl, state in states.items())
        return Proof(
            effective=all(state == wanted for state in states.values()), seen=f"sysfs: {seen}"
        )

    @staticmethod
    def _is_empty(shell: Shell, hctl: str) -> bool:
        sizes = shell.glob(f"{SYSFS}/{hctl}/device/block/*/size")
        return any(shell.read_text(path).strip() == "0" for path in sizes)

    @staticmethod
    def _state(shell: Shell, hctl: str) -> str:
        return shell.read_text(state_file(hctl)).strip()
