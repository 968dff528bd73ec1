"""Faults that are another device-mapper table beneath an array's logical units, their base.

`devices` are device-mapper names; `tables` their own tables, found by `prepare` and kept in the
journal, since after `apply` nobody else knows them.
"""

from dataclasses import dataclass, replace
from typing import Any, Self

from fault_injectors import dm_table
from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.shell import FaultError, Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFault:
    """Every device has a table that `broken` makes of its own."""

    subject: str
    devices: tuple[str, ...]
    tables: tuple[str, ...] = ()

    def broken(self, table: str) -> str:
        """Return the table that breaks a device; raise FaultError if *table* cannot be broken."""
        raise NotImplementedError

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses devices that are not linear, so also one already broken."""
        if not self.devices:
            raise FaultError(f"{self.subject}: the lab file names no device-mapper device")
        live = dm_table.read_tables(shell, self.devices)
        for device, table in live.items():
            if not table:
                raise FaultError(f"{self.subject}: {device} has no table")
            self.broken(table)
        return replace(self, tables=tuple(live[device] for device in self.devices))

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        dm_table.replace_tables(shell, self.broken_tables())

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: every live table is the broken one."""
        return self._proof(shell, self.broken_tables())

    def heal(self, shell: Shell) -> None:
        """See Fault.heal; switches only the devices that need it."""
        wanted = self.own_tables()
        wrong = self._wrong(shell, wanted)
        if wrong:
            dm_table.replace_tables(shell, {device: wanted[device] for device in wrong})

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: every live table is the one that `prepare` found."""
        return self._proof(shell, self.own_tables())

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def own_tables(self) -> dict[str, str]:
        """Return the devices' own tables; raise FaultError before `prepare`."""
        if len(self.tables) != len(self.devices):
            raise FaultError(f"{self.subject}: not prepared; the tables are not known")
        return dict(zip(self.devices, self.tables, strict=True))

    def broken_tables(self) -> dict[str, str]:
        """Return the tables that break the devices."""
        return {device: self.broken(table) for device, table in self.own_tables().items()}

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
            f"{device} [{dm_table.summary(table)}]{' suspended' if device in held else ''}"
            for device, table in live.items()
        )
        return Proof(effective=right and not held, seen=f"dm table: {seen}")
