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
        live = dm_table.read_tables(shell, self.devices)
        tables = tuple(live[device] for device in self.devices)
        for device, table in live.items():
            if not table:
                raise FaultError(f"{self.subject}: {device} has no table")
            dm_table.delayed(table, self.delay_ms)
        return replace(self, tables=tables)

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        dm_table.replace_tables(shell, self._slow())

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: every live table delays."""
        return self._proof(shell, self._slow())

    def heal(self, shell: Shell) -> None:
        """See Fault.heal; switches only the devices that need it."""
        wanted = self._fast()
        wrong = self._wrong(shell, wanted)
        if wrong:
            dm_table.replace_tables(shell, {device: wanted[device] for device in wrong})

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: every live table is the one that `prepare` found."""
        return self._proof(shell, self._fast())

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _fast(self) -> dict[str, str]:
        """Return the devices' own tables."""
        if len(self.tables) != len(self.devices):
            raise FaultError(f"{self.subject}: not prepared; the tables are not known")
        return dict(zip(self.devices, self.tables, strict=True))

    def _slow(self) -> dict[str, str]:
        """Return the tables that delay."""
        return {
            device: dm_table.delayed(table, self.delay_ms) for device, table in self._fast().items()
        }

    @staticmethod
    def _wrong(shell: Shell, wanted: dict[str, str]) -> list[str]:
        """Return the devices that have another table or hold their I/O."""
        live = dm_table.read_tables(shell, list(wanted))
        held = dm_table.suspended(shell, list(wanted))
        return [
            device
            for device, table in wanted.items()
            if device in held or not dm_table.same(live[device], table)
        ]

    @staticmethod
    def _proof(shell: Shell, wanted: dict[str, str]) -> Proof:
        live = dm_table.read_tables(shell, list(wanted))
        held = dm_table.suspended(shell, list(wanted))
        right = all(dm_table.same(live[device], table) for device, table in wanted.items())
        seen = ", ".join(
            f"{device} [{table}]{' suspended' if device in held else ''}"
            for device, table in live.items()
        )
        return Proof(effective=right and not held, seen=f"dm table: {seen}")
