"""Silent corruption: a sector of one leg changed beneath the array, which reports nothing."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fault_injectors import dm_table
from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.shell import FaultError, Shell

TIMEOUT_S = 15.0
_READ = 'dd if="$1" bs=512 skip="$2" count=1 iflag=direct 2>/dev/null | od -An -v -tx1'
_WRITE = (
    'printf "$3" | dd of="$1" bs=512 seek="$2" count=1 iflag=fullblock oflag=direct conv=notrunc'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCorrupt:
    """The sector at `lba` of a unit of an array has some bits flipped.

    `device` is a device-mapper name; `before` the sector's bytes in hexadecimal digits, read by
    `prepare`, since after `apply` nobody else has them. A sector that was written meanwhile, by a
    host or by a repair, is left as it is.
    """

    kind: ClassVar[str] = "block_corrupt"
    label: ClassVar[str] = "Silent corruption"
    colour: ClassVar[str] = "#B15928"

    subject: str
    device: str
    lba: int
    before: str = ""

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses a sector that cannot be read."""
        return replace(self, before=self._read(shell).hex())

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        self._write(shell, self._corrupted())

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: a read beneath the array returns the flipped bits."""
        seen = self._read(shell)
        return Proof(effective=seen == self._corrupted(), seen=self._seen(seen))

    def heal(self, shell: Shell) -> None:
        """See Fault.heal."""
        if self._read(shell) == self._corrupted():
            self._write(shell, self._own())

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: the sector no longer holds what was planted."""
        seen = self._read(shell)
        return Proof(effective=seen != self._corrupted(), seen=self._seen(seen))

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _own(self) -> bytes:
        if len(self.before) != 2 * dm_table.SECTOR_BYTES:
            raise FaultError(f"{self.subject}: not prepared; the sector's bytes are not known")
        return bytes.fromhex(self.before)

    def _corrupted(self) -> bytes:
        """Return the sector with the lowest bit of its last 16 bytes flipped."""
        own = self._own()
        return own[:-16] + bytes(byte ^ 1 for byte in own[-16:])

    def _read(self, shell: Shell) -> bytes:
        node = dm_table.node(shell, self.device)
        told = shell.run(("sh", "-c", _READ, "sh", node, str(self.lba)), timeout_s=TIMEOUT_S)
        data = bytes.fromhex("".join(told.stdout.split()))
        if len(data) != dm_table.SECTOR_BYTES:
            raise FaultError(
                f"{self.subject}: {self.device}, LBA {self.lba}: expected to read "
                f"{dm_table.SECTOR_BYTES} bytes, seen {len(data)}"
            )
        return data

    def _write(self, shell: Shell, data: bytes) -> None:
        node = dm_table.node(shell, self.device)
        octal = "".join(f"\\{byte:03o}" for byte in data)
        shell.run(("sh", "-c", _WRITE, "sh", node, str(self.lba), octal), timeout_s=TIMEOUT_S)

    def _seen(self, data: bytes) -> str:
        word = "as before the fault" if data == self._own() else "another"
        if data == self._corrupted():
            word = "the corrupted"
        return f"{self.device}, LBA {self.lba}: {word} content, ends with {data[-16:].hex()}"
