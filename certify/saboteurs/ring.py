"""The user-space end of a TCMU ring: takes commands, answers them in any order.

Layout and rules: `include/uapi/linux/target_core_user.h` and
`Documentation/target/tcmu-design.rst` of Linux 6.1. Written for the saboteurs alone: the router
has its own, and a mistake in one must not hide in the other.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

_COMMAND_HEAD = 12  # struct tcmu_mailbox.cmd_head
_COMMAND_TAIL = 64  # cmd_tail, on a cache line of its own
_MAILBOX = struct.Struct("<HHII")  # version, flags, cmdr_off, cmdr_size
_HEADER = struct.Struct("<IHBB")  # len_op, cmd_id, kflags, uflags
_REQUEST = struct.Struct("<III4xQ")  # iov_cnt, iov_bidi_cnt, iov_dif_cnt, cdb_off
_VECTOR = struct.Struct("<QQ")  # iov_base, iov_len
_ANSWER = struct.Struct("<B3xI")  # scsi_status, read_len
_REQUEST_AT = 8
_VECTORS_AT = 48
_SENSE_AT = 16
_SENSE_BYTES = 96
_OPCODE_BITS = 0x7
_COMMAND, _TASK_MANAGEMENT = 1, 2  # enum tcmu_opcode; PAD is 0
_FUNCTION_AT = 8  # struct tcmu_tmr_entry.tmr_type
_RESETS = (5, 6, 7)  # TCMU_TMR_LUN_RESET, _TARGET_WARM_RESET, _TARGET_COLD_RESET
_READ_LENGTH_FLAG = 0x2  # both TCMU_MAILBOX_FLAG_CAP_READ_LEN and TCMU_UFLAG_READ_LEN
_OUT_OF_ORDER_FLAG = 0x1  # TCMU_MAILBOX_FLAG_CAP_OOOC
_CDB_BYTES = 16


class RingError(Exception):
    """The ring cannot be served; the message says what it holds and what was expected."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A command of the ring: the kernel's number, its CDB, its (offset, length) pieces of data."""

    number: int
    cdb: bytes
    pieces: tuple[tuple[int, int], ...]

    @property
    def room(self) -> int:
        """Bytes of its buffer."""
        return sum(length for _, length in self.pieces)


class Ring:
    """One ring over its mapped memory. The caller tells the kernel after answering.

    Raises RingError for a mailbox without out-of-order completion, or one that was in use: a
    handler that goes on from another's position would run commands twice.
    """

    def __init__(self, memory: bytearray | mmap) -> None:
        self._memory = memory
        version, flags, self._start, self._size = _MAILBOX.unpack_from(memory)
        if version != 2 or not flags & _OUT_OF_ORDER_FLAG:
            raise RingError(f"mailbox version {version}, flags {flags:#x}: expected 2 and flag 1")
        self._short_reads = bool(flags & _READ_LENGTH_FLAG)
        if self._word(_COMMAND_TAIL):
            raise RingError(f"ring tail {self._word(_COMMAND_TAIL)}: expected 0, a fresh device")
        self._next = self._tail = 0
        self.reset_asked = False
        """The host has reset the unit; whoever has seen to it sets this back."""

    def take(self) -> Iterator[Slot]:
        """Yield every command that the kernel has put in since the last call."""
        head = self._word(_COMMAND_HEAD)
        while self._next != head:
            at = self._start + self._next
            word, number, _, _ = _HEADER.unpack_from(self._memory, at)
            length = word & ~_OPCODE_BITS
            if not 8 <= length <= self._size - self._next:
                raise RingError(f"entry of {length} bytes at {self._next} of {self._size}")
            self._next = (self._next + length) % self._size
            opcode = word & _OPCODE_BITS
            if opcode == _COMMAND:
                yield self._slot(at, number)
            elif opcode == _TASK_MANAGEMENT:
                self.reset_asked |= self._memory[at + _FUNCTION_AT] in _RESETS
        self._step_over_others()

    def gather(self, slot: Slot) -> bytes:
        """Return the data that came with a command."""
        return b"".join(self._memory[at : at + length] for at, length in slot.pieces)

    def answer(self, slot: Slot, status: int, sense: bytes, data: bytes) -> None:
        """Answer a command in the oldest slot that is still ours, and give that slot back."""
        self._scatter(slot, data)
        self._step_over_others()
        at = self._start + self._tail
        word = self._word(at)
        if self._tail == self._next:
            raise RingError(f"command {slot.number} is answered, but no slot is left")
        short = self._short_reads and 0 < len(data) < slot.room
        _HEADER.pack_into(self._memory, at, word, slot.number, 0, _READ_LENGTH_FLAG if short else 0)
        _ANSWER.pack_into(self._memory, at + _REQUEST_AT, status, len(data) if short else 0)
        if sense:
            padded = sense[:_SENSE_BYTES].ljust(_SENSE_BYTES, b"\0")
            self._memory[at + _SENSE_AT : at + _SENSE_AT + _SENSE_BYTES] = padded
        self._move_tail(word & ~_OPCODE_BITS)
        self._step_over_others()

    def _slot(self, at: int, number: int) -> Slot:
        count, _, _, cdb_at = _REQUEST.unpack_from(self._memory, at + _REQUEST_AT)
        vectors = at + _VECTORS_AT
        pieces = tuple(
            _VECTOR.unpack_from(self._memory, vectors + index * _VECTOR.size)
            for index in range(count)
        )
        return Slot(number, bytes(self._memory[cdb_at : cdb_at + _CDB_BYTES]), pieces)

    def _scatter(self, slot: Slot, data: bytes) -> None:
        done = 0
        for at, length in slot.pieces:
            part = data[done : done + length]
            self._memory[at : at + len(part)] = part
            done += len(part)

    def _step_over_others(self) -> None:
        """Give back padding and notes of task management, which want no answer."""
        while self._tail != self._next:
            word = self._word(self._start + self._tail)
            if word & _OPCODE_BITS == _COMMAND:
                return
            self._move_tail(word & ~_OPCODE_BITS)

    def _move_tail(self, length: int) -> None:
        self._tail = (self._tail + length) % self._size
        struct.pack_into("<I", self._memory, _COMMAND_TAIL, self._tail)

    def _word(self, at: int) -> int:
        return int.from_bytes(self._memory[at : at + 4], "little")
