"""Faults behind the engines: an array or a way to it that is gone, slow, hung or too small."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fault_injectors import dm_table
from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.scsi_state import SYSFS, ScsiOffline
from fault_injectors.shell import FaultError, Shell
from fault_injectors.table_fault import TableFault


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayOffline(ScsiOffline):
    """An array is gone for every engine: all back paths to it are offline."""

    kind: ClassVar[str] = "array_offline"
    label: ClassVar[str] = "Array offline"
    colour: ClassVar[str] = "#E69F00"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackPathCut(ScsiOffline):
    """An array is gone for one engine, while the other still reaches it."""

    kind: ClassVar[str] = "back_path_cut"
    label: ClassVar[str] = "Back path cut"
    colour: ClassVar[str] = "#B8860B"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySlow(TableFault):
    """Every I/O to an array takes `delay_ms` longer, by dm-delay under its logical units."""

    kind: ClassVar[str] = "array_slow"
    label: ClassVar[str] = "Array slow"
    colour: ClassVar[str] = "#009E73"

    delay_ms: int

    def broken(self, table: str) -> str:
        """See TableFault.broken."""
        return dm_table.delayed(table, self.delay_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayTail(TableFault):
    """A share of an array's blocks takes `delay_ms` longer, as where a disk retries.

    Each of `stripes` equal parts of a device has `per_mille` thousandths in its middle that are
    slow. dm-delay knows no chance: I/Os spread over the device are slow as often as blocks are.
    The first block, by which a lost disk is looked for, is not.
    """

    kind: ClassVar[str] = "array_tail"
    label: ClassVar[str] = "Array slow now and then"
    colour: ClassVar[str] = "#66C2A5"

    delay_ms: int
    per_mille: int = 10
    stripes: int = 64

    def broken(self, table: str) -> str:
        """See TableFault.broken."""
        size = dm_table.sectors(table)
        stripe = size // self.stripes // dm_table.BLOCK_SECTORS * dm_table.BLOCK_SECTORS
        slow = max(1, stripe * self.per_mille // 1000 // dm_table.BLOCK_SECTORS)
        length = slow * dm_table.BLOCK_SECTORS
        if not 0 < length < stripe:
            raise FaultError(f"{self.subject}: {size} sectors are too few for {self.stripes} parts")
        middle = stripe // 2 // dm_table.BLOCK_SECTORS * dm_table.BLOCK_SECTORS
        spans = [(number * stripe + middle, length) for number in range(self.stripes)]
        return dm_table.with_spans(
            table, spans, lambda device, offset: f"delay {device} {offset} {self.delay_ms}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayShrunk(TableFault):
    """An array's logical units have lost the end of their blocks: the array returns another size.

    `keep_percent` of each are left. LIO tells hosts the new capacity at once (iblock_get_blocks
    in drivers/target/target_core_iblock.c reads the size of the device beneath it). The hosts'
    disks that match `hctl` are rescanned after healing, since Linux asks for a capacity once;
    `disks` are those of them that are there, found by `prepare`.
    """

    kind: ClassVar[str] = "array_shrunk"
    label: ClassVar[str] = "Array of another size"
    colour: ClassVar[str] = "#A6761D"

    keep_percent: int = 50
    hctl: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare."""
        known = TableFault.prepare(self, shell)
        found: list[str] = []
        for pattern in self.hctl:
            found += [path.rpartition("/")[2] for path in shell.glob(f"{SYSFS}/{pattern}")]
        return replace(known, disks=tuple(found))

    def broken(self, table: str) -> str:
        """See TableFault.broken."""
        return dm_table.shortened(table, dm_table.sectors(table) * self.keep_percent // 100)

    def heal(self, shell: Shell) -> None:
        """See Fault.heal; rescans also where the tables are right: nobody may have done so."""
        TableFault.heal(self, shell)
        for disk in self.disks:
            shell.write_text(f"{SYSFS}/{disk}/device/rescan", "1\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayHang:
    """An array takes commands and answers none: device-mapper holds the I/O of its units."""

    kind: ClassVar[str] = "array_hang"
    label: ClassVar[str] = "Array hung"
    colour: ClassVar[str] = "#F0A500"

    subject: str
    devices: tuple[str, ...]

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses devices that are held already."""
        if not self.devices:
            raise FaultError(f"{self.subject}: the lab file names no device-mapper device")
        dm_table.read_tables(shell, self.devices)
        if held := dm_table.suspended(shell, self.devices):
            raise FaultError(
                f"{self.subject}: {', '.join(sorted(held))} suspended before the fault"
            )
        return replace(self)

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        dm_table.suspend(shell, self.devices)

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: device-mapper says that every device is suspended."""
        held = dm_table.suspended(shell, self.devices)
        return Proof(effective=held == set(self.devices), seen=self._seen(held))

    def heal(self, shell: Shell) -> None:
        """See Fault.heal."""
        if held := dm_table.suspended(shell, self.devices):
            dm_table.resume(shell, sorted(held))

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: no device is suspended."""
        held = dm_table.suspended(shell, self.devices)
        return Proof(effective=not held, seen=self._seen(held))

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _seen(self, held: set[str]) -> str:
        states = (f"{one} {'suspended' if one in held else 'active'}" for one in self.devices)
        return f"device-mapper: {', '.join(states)}"
