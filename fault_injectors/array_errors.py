"""Faults of an array that answers, but with errors: all I/O, writes only, or some blocks.

What a host of the array sees of an error beneath LIO's iblock is NOT READY, LOGICAL UNIT
COMMUNICATION FAILURE (2h/08h/00h), whatever the error was: Linux 6.1 passes on that there was
one and not which (iblock_complete_cmd in drivers/target/target_core_iblock.c).
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from fault_injectors import dm_table
from fault_injectors.base import Proof
from fault_injectors.shell import FaultError, Shell
from fault_injectors.table_fault import TableFault

ALWAYS = "0 60"
"""Up for no second, down for 60, of each period: never up (dm-flakey.rst)."""
DUST = "dust"
ERROR = "error"
TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayErrors(TableFault):
    """Every I/O of an array fails at once, though its paths are up."""

    kind: ClassVar[str] = "array_errors"
    label: ClassVar[str] = "Array with I/O errors"
    colour: ClassVar[str] = "#D95F02"

    def broken(self, table: str) -> str:
        """See TableFault.broken."""
        return dm_table.with_spans(
            table, [(0, dm_table.sectors(table))], lambda _device, _offset: ERROR
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayWriteErrors(TableFault):
    """An array reads well and fails every write, as one that is out of space or went read-only."""

    kind: ClassVar[str] = "array_write_errors"
    label: ClassVar[str] = "Array with write errors"
    colour: ClassVar[str] = "#E7298A"

    def broken(self, table: str) -> str:
        """See TableFault.broken."""
        return dm_table.with_spans(
            table,
            [(0, dm_table.sectors(table))],
            lambda device, offset: f"flakey {device} {offset} {ALWAYS} 1 error_writes",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaError(TableFault):
    """Blocks of 4 KiB at `lbas` (512-byte sectors) of one unit of an array cannot be read.

    Where the kernel has dm-dust a write makes such a block good again, as on a disk that has
    spare sectors; elsewhere dm-error fails the writes too. `prepare` chooses.
    """

    kind: ClassVar[str] = "media_error"
    label: ClassVar[str] = "Media error"
    colour: ClassVar[str] = "#7570B3"

    lbas: tuple[int, ...]
    target: str = ""

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses more than one device and blocks that are none."""
        if len(self.devices) != 1:
            raise FaultError(f"{self.subject}: expected one device, seen {len(self.devices)}")
        if not self.lbas or any(lba % dm_table.BLOCK_SECTORS for lba in self.lbas):
            raise FaultError(f"{self.subject}: expected multiples of 8 as LBAs, seen {self.lbas}")
        found = shell.run(
            ("modprobe", "--dry-run", "--quiet", "dm-dust"), timeout_s=TIMEOUT_S, check=False
        )
        chosen = replace(self, target=ERROR if found.exit_status else DUST)
        return replace(chosen, tables=TableFault.prepare(chosen, shell).tables)

    def broken(self, table: str) -> str:
        """See TableFault.broken."""
        spans = [(lba, dm_table.BLOCK_SECTORS) for lba in sorted(self.lbas)]
        return dm_table.with_spans(table, spans, self._target)

    def apply(self, shell: Shell) -> None:
        """See Fault.apply; dm-dust is told of its bad blocks before it is switched on."""
        TableFault.apply(self, shell)
        if self.target != DUST:
            return
        (device, table), *_ = self.broken_tables().items()
        for line in table.splitlines():
            start, _length, target, *arguments = line.split()
            if target == DUST:
                block = int(arguments[1]) // dm_table.BLOCK_SECTORS
                dm_table.message(shell, device, int(start), "addbadblock", str(block))
                dm_table.message(shell, device, int(start), "enable")

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: the table is in, and a read of at least one of the blocks fails.

        Not of all: the system under test may have written some again by the time of the look.
        """
        table = TableFault.probe(self, shell)
        bad = self._unreadable(shell)
        seen = f"reads fail at LBA {', '.join(map(str, bad)) or 'none'}; {table.seen}"
        return Proof(effective=table.effective and bool(bad), seen=seen)

    def _unreadable(self, shell: Shell) -> list[int]:
        """Return the LBAs of which a read beneath the array fails."""
        node = dm_table.node(shell, self.devices[0])
        script = (
            'node=$1; shift; for lba; do dd if="$node" of=/dev/null bs=512 skip="$lba" count=8 '
            'iflag=direct 2>/dev/null || echo "$lba"; done'
        )
        lbas = [str(lba) for lba in self.lbas]
        told = shell.run(("sh", "-c", script, "sh", node, *lbas), timeout_s=TIMEOUT_S).stdout
        return [int(word) for word in told.split()]

    def _target(self, device: str, offset: int) -> str:
        if self.target != DUST:
            return ERROR
        if offset % dm_table.BLOCK_SECTORS:
            raise FaultError(f"{self.subject}: expected an aligned device, seen offset {offset}")
        return f"{DUST} {device} {offset} {dm_table.BLOCK_SECTORS * dm_table.SECTOR_BYTES}"
