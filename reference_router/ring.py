"""The TCMU mailbox and command ring over any writable buffer. It knows nothing of SCSI.

Layout: Linux `include/uapi/linux/target_core_user.h`; behaviour: `queue_cmd_ring()`,
`queue_tmr_ring()` and `tcmu_handle_completions()` in `drivers/target/target_core_user.c`.
The kernel fills entries from `cmd_head`; user space gives slots back from `cmd_tail`. With
TCMU_MAILBOX_FLAG_CAP_OOOC the slot at the tail may carry the response of *any* command that was
taken, so a slow command does not hold back the ones behind it.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from mmap import mmap

MAILBOX_VERSION = 2
FLAG_OUT_OF_ORDER = 1 << 0
FLAG_READ_LENGTH = 1 << 1
UFLAG_UNKNOWN_OPCODE = 0x1
UFLAG_READ_LENGTH = 0x2
SENSE_BYTES = 96  # TCMU_SENSE_BUFFERSIZE

_MAILBOX = struct.Struct("<HHII")
_HEAD_WORD = 12 // 4
_TAIL_WORD = 64 // 4  # cmd_tail has a cache line of its own
_ENTRY = struct.Struct("<IHBBIII4xQ")  # len_op cmd_id kflags uflags 3 x iov counts, cdb_off
_IOVEC = struct.Struct("<QQ")
_IOVEC_OFFSET = 48
_RESPONSE = struct.Struct("<HBBBBHI")  # cmd_id kflags uflags status pad1 pad2 read_len
_RESPONSE_OFFSET = 4  # behind len_op, which the kernel reads again to step over the slot
_SENSE_OFFSET = 16
_OPCODE_MASK = 0x7
_ALIGNMENT = 8
_CDB_BYTES = 16


class RingError(Exception):
    """The ring holds something that cannot be: user space and kernel no longer agree."""


class Opcode(IntEnum):
    """Kinds of ring entries (enum tcmu_opcode)."""

    PAD = 0
    COMMAND = 1
    TASK_MANAGEMENT = 2


class Entry:
    """One command taken from the ring.

    `segments` are (offset, length) pairs into the shared memory. The CDB is a copy, and so are
    the segments: the slot may be overwritten by another command's response.
    """

    __slots__ = ("bidirectional", "cdb", "command_id", "length_bytes", "segments", "unknown")

    def __init__(self, command_id: int, cdb: bytes, segments: list[tuple[int, int]]) -> None:
        self.command_id = command_id
        self.cdb = cdb
        self.segments = segments
        self.length_bytes = sum(length for _, length in segments)
        self.bidirectional = False
        self.unknown = False


class Ring:
    """The user-space end of one TCMU ring. Construction refuses a ring that it cannot serve.

    Raises RingError if the mailbox is of another version, lacks out-of-order completion, or was
    already consumed from: entries before a tail that is not 0 may be answered ones, and serving
    them again would replay old writes.
    """

    def __init__(self, memory: bytearray | mmap) -> None:
        self._memory = memoryview(memory).cast("B")
        self._words = self._memory[: 128 * 4].cast("I")
        version, flags, self._base, self._size = _MAILBOX.unpack_from(self._memory)
        if version != MAILBOX_VERSION or not flags & FLAG_OUT_OF_ORDER:
            raise RingError(
                f"mailbox version {version} flags {flags:#x}: expected version "
                f"{MAILBOX_VERSION} with out-of-order completion (flag 1)"
            )
        if self._words[_TAIL_WORD] != 0:
            raise RingError(
                f"ring tail is {self._words[_TAIL_WORD]}, expected 0 after reset_ring: "
                "refusing to go on from another engine's position"
            )
        self._reads_length = bool(flags & FLAG_READ_LENGTH)
        self._cursor = 0
        self._taken = 0

    def release(self) -> None:
        """Drop the views of the memory, so that an mmap beneath can be closed."""
        self._words.release()
        self._memory.release()

    @property
    def taken(self) -> int:
        """Commands taken and not completed yet."""
        return self._taken

    def pending(self) -> bool:
        """Tell whether the kernel has put entries behind those taken so far."""
        return self._words[_HEAD_WORD] != self._cursor

    def take(self) -> Iterator[Entry]:
        """Yield each new command, in ring order. Raises RingError on a malformed entry."""
        head = self._words[_HEAD_WORD]
        while self._cursor != head:
            offset = self._base + self._cursor
            length_opcode = self._word(self._cursor)
            length, opcode = self._checked_length(length_opcode), length_opcode & _OPCODE_MASK
            self._cursor = (self._cursor + length) % self._size
            if opcode in (Opcode.PAD, Opcode.TASK_MANAGEMENT):
                continue  # such slots are skipped again, and so given back, when completing
            self._taken += 1
            yield self._parse(offset, opcode)
        if not self._taken:
            self._skip_fillers()

    def _parse(self, offset: int, opcode: int) -> Entry:
        _, command_id, _, _, iovecs, bidi_iovecs, _, cdb_offset = _ENTRY.unpack_from(
            self._memory, offset
        )
        if opcode != Opcode.COMMAND:
            entry = Entry(command_id, bytes(_CDB_BYTES), [])
            entry.unknown = True
            return entry
        start = offset + _IOVEC_OFFSET
        if iovecs == 1:
            segments = [_IOVEC.unpack_from(self._memory, start)]
        else:
            stop = start + iovecs * _IOVEC.size
            segments = list(_IOVEC.iter_unpack(self._memory[start:stop]))
        cdb = self._memory[cdb_offset : cdb_offset + _CDB_BYTES].tobytes()
        entry = Entry(command_id, cdb, segments)
        entry.bidirectional = bidi_iovecs != 0
        return entry

    def complete(
        self, entry: Entry, status: int, sense: bytes = b"", *, read_length: int | None = None
    ) -> None:
        """Write the response of `entry` into the slot at the tail and give that slot back.

        `read_length` is the number of bytes of data-in when it is less than the buffer; 0 cannot
        be said to the kernel, which then takes the whole buffer. The caller kicks the kernel
        afterwards, once per batch.
        """
        if not self._taken:
            raise RingError(f"command {entry.command_id} completed, but none is outstanding")
        self._skip_fillers()
        tail = self._words[_TAIL_WORD]
        slot = self._base + tail
        length_opcode = self._word(tail)
        length = self._checked_length(length_opcode)
        if length_opcode & _OPCODE_MASK != Opcode.COMMAND:
            # The slot of an unknown kind now answers a command: say so, or the kernel warns.
            struct.pack_into("<I", self._memory, slot, length | Opcode.COMMAND)
        uflags = UFLAG_UNKNOWN_OPCODE if entry.unknown else 0
        if read_length and self._reads_length:
            uflags |= UFLAG_READ_LENGTH
        _RESPONSE.pack_into(
            self._memory,
            slot + _RESPONSE_OFFSET,
            *(entry.command_id, 0, uflags, status, 0, 0, read_length or 0),
        )
        if sense:
            field = sense[:SENSE_BYTES].ljust(SENSE_BYTES, b"\0")
            start = slot + _SENSE_OFFSET
            self._memory[start : start + SENSE_BYTES] = field
        self._taken -= 1
        self._words[_TAIL_WORD] = (tail + length) % self._size
        if not self._taken:
            self._skip_fillers()

    def gather(self, entry: Entry, into: memoryview) -> int:
        """Copy data-out of `entry` to `into`, as much as fits; return the bytes copied."""
        done = 0
        for offset, length in entry.segments:
            part = min(length, len(into) - done)
            into[done : done + part] = self._memory[offset : offset + part]
            done += part
        return done

    def scatter(self, entry: Entry, data: bytes | memoryview) -> int:
        """Copy `data` to the data-in buffer of `entry`, as much as fits; return the bytes copied.

        The buffer is not cleared: it may hold another command's data behind what is copied.
        """
        view, done = memoryview(data), 0
        for offset, length in entry.segments:
            part = min(length, len(view) - done)
            if part <= 0:
                break
            self._memory[offset : offset + part] = view[done : done + part]
            done += part
        return done

    def _skip_fillers(self) -> None:
        tail = self._words[_TAIL_WORD]
        start = tail
        while tail != self._cursor:
            length_opcode = self._word(tail)
            if length_opcode & _OPCODE_MASK not in (Opcode.PAD, Opcode.TASK_MANAGEMENT):
                break
            tail = (tail + self._checked_length(length_opcode)) % self._size
        if tail != start:
            self._words[_TAIL_WORD] = tail

    def _word(self, position: int) -> int:
        offset = self._base + position
        return int.from_bytes(self._memory[offset : offset + 4], "little")

    def _checked_length(self, length_opcode: int) -> int:
        length = length_opcode & ~_OPCODE_MASK
        if length < _ALIGNMENT or length > self._size:
            raise RingError(
                f"entry length {length} (word {length_opcode:#x}): expected {_ALIGNMENT} to "
                f"{self._size}"
            )
        return length
