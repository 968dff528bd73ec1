"""An array that is not ready: asymmetric access state transition, by LIO's configfs.

In state Fh LIO answers reads and writes with NOT READY, 2h/04h/0Ah (core_alua_state_transition
in drivers/target/target_core_alua.c), as a real array does while its controllers take over from
each other. An initiator tries such commands again until its patience or its time is over.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fault_injectors import dm_table
from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.shell import FaultError, Shell

BACKSTORES = "/sys/kernel/config/target/core/iblock_*/*"
STATE = "alua/default_tg_pt_gp/alua_access_state"
OPTIMIZED, TRANSITIONING = "0", "15"
_DEVICE = re.compile(r"iBlock device: (\S+)")
"""What a backstore is on (iblock_show_configfs_dev_params); its udev_path may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayTransition:
    """Every logical unit of an array is in transition.

    `devices` are device-mapper names beneath LIO backstores; `backstores` their configfs folders,
    found by `prepare`.
    """

    kind: ClassVar[str] = "array_transition"
    label: ClassVar[str] = "Array not ready"
    colour: ClassVar[str] = "#1F78B4"

    subject: str
    devices: tuple[str, ...]
    backstores: tuple[str, ...] = ()

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses devices that no LIO backstore is on."""
        if not self.devices:
            raise FaultError(f"{self.subject}: the lab file names no device-mapper device")
        above: dict[str, str] = {}
        for folder in shell.glob(BACKSTORES):
            if shell.exists(f"{folder}/info"):
                found = _DEVICE.search(shell.read_text(f"{folder}/info"))
                above |= {f"/dev/{found[1]}": folder} if found else {}
        nodes = {device: dm_table.node(shell, device) for device in self.devices}
        for device, node in nodes.items():
            if node not in above:
                raise FaultError(f"{self.subject}: no LIO iblock backstore is on {device} ({node})")
        ready = replace(self, backstores=tuple(above[node] for node in nodes.values()))
        if not (proof := ready.healed(shell)).effective:
            raise FaultError(f"{self.subject}: expected access state 0, seen {proof.seen}")
        return ready

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        for folder in self._prepared():
            shell.write_text(f"{folder}/{STATE}", f"{TRANSITIONING}\n")

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: every backstore says that it is in transition."""
        return self._proof(shell, TRANSITIONING)

    def heal(self, shell: Shell) -> None:
        """See Fault.heal."""
        for folder in self._prepared():
            if shell.read_text(f"{folder}/{STATE}").strip() != OPTIMIZED:
                shell.write_text(f"{folder}/{STATE}", f"{OPTIMIZED}\n")

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: every backstore is active and optimised."""
        return self._proof(shell, OPTIMIZED)

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _prepared(self) -> tuple[str, ...]:
        if not self.backstores:
            raise FaultError(f"{self.subject}: not prepared; no backstores are known")
        return self.backstores

    def _proof(self, shell: Shell, wanted: str) -> Proof:
        states = {
            folder.rpartition("/")[2]: shell.read_text(f"{folder}/{STATE}").strip()
            for folder in self._prepared()
        }
        seen = ", ".join(f"{name} {state}" for name, state in states.items())
        return Proof(
            effective=all(state == wanted for state in states.values()),
            seen=f"ALUA access state: {seen}",
        )
