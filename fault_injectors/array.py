"""Faults behind the engines: an array that is gone, an array that is slow."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fault_injectors import dm_table
from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.scsi_state import ScsiOffline
from fault_injectors.shell import FaultError, Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayOffline(ScsiOffline):
    """An array is gone for every engine: all back paths to it are offline."""

    kind: ClassVar[str] = "array_offline"
    label: ClassVar[str] = "Array offline"
    colour: ClassVar[str] = "#E69F00"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySlow:
    """Every I/O to an array takes `delay_ms` longer, by dm-delay under its logical units.

    `devices` are device-mapper names; `tables` their own tables, found by `prepare` and kept in
    the journal, since after `apply` nobody else knows them.
    """

    kind: ClassVar[str] = "array_slow"
    label: ClassVar[str] = "Array slow"
    colour: ClassVar[str] = "#009E73"

    subject: str
    devices: tuple[str, ...]
    delay_ms: int
    tables: tuple[str, ...] = ()

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses devices that are not linear, so also one already slow."""
        if not self.devices:
            raise FaultError(f"{self.subject}: the lab file names no device to slow down")
        tables = tuple(dm_table.read_table(shell, device) for device in self.devices)
        for table in tables:
            dm_table.delayed(table, self.delay_ms)
        return replace(self, tables=tables)

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        for device, table in self._prepared():
            dm_table.replace_table(shell, device, dm_table.delayed(table, self.delay_ms))

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: every live table delays."""
        wanted = {
            device: dm_table.delayed(table, self.delay_ms) for device, table in self._prepared()
        }
        return self._proof(shell, wanted)

    def heal(self, shell: Shell) -> None:
        """See Fault.heal; tries every device, then raises what went wrong."""
        failed: list[str] = []
        for device, table in self._prepared():
            try:
                self._restore(shell, device, table)
            except FaultError as error:
                failed.append(str(error))
        if failed:
            raise FaultError(f"{self.subject}: {'; '.join(failed)}")

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: every live table is the one that `prepare` found."""
        return self._proof(shell, dict(self._prepared()))

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _prepared(self) -> list[tuple[str, str]]:
        if len(self.tables) != len(self.devices):
            raise FaultError(f"{self.subject}: not prepared; the tables are not known")
        return list(zip(self.devices, self.tables, strict=True))

    @staticmethod
    def _restore(shell: Shell, device: str, table: str) -> None:
        live = dm_table.read_table(shell, device)
        if _same(live, table) and not dm_table.is_suspended(shell, device):
            return
        dm_table.replace_table(shell, device, table)

    @staticmethod
    def _proof(shell: Shell, wanted: dict[str, str]) -> Proof:
        seen: list[str] = []
        effective = True
        for device, table in wanted.items():
            live = dm_table.read_table(shell, device)
            suspended = dm_table.is_suspended(shell, device)
            effective = effective and _same(live, table) and not suspended
            seen.append(f"{device} [{live}]{' suspended' if suspended else ''}")
        return Proof(effective=effective, seen=f"dm table: {', '.join(seen)}")


def _same(live: str, wanted: str) -> bool:
    """Compare tables by their words; the kernel repeats a delay target's arguments as it likes."""
    return live.split() == wanted.split()
