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
from typing import NamedTuple

from reference_router.lending import Loan

MAILBOX_VERSION = 2
FLAG_OUT_OF_ORDER = 1 << 0
FLAG_READ_LENGTH = 1 << 1
FLAG_KEEP_BUFFER = 1 << 3
UFLAG_UNKNOWN_OPCODE = 0x1
UFLAG_READ_LENGTH = 0x2
UFLAG_KEEP_BUFFER = 0x4
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
_ENTRY_BYTES_MIN = 112  # sizeof(struct tcmu_cmd_entry): a response with its sense fits
_MAILBOX_BYTES = 68  # up to cmd_tail and with it


class RingError(Exception):
    """The ring holds something that cannot be: user space and kernel no longer agree."""


class Opcode(IntEnum):
    """Kinds of ring entries (enum tcmu_opcode)."""

    PAD = 0
    COMMAND = 1
    TASK_MANAGEMENT = 2


_FILLERS = frozenset((Opcode.PAD, Opcode.TASK_MANAGEMENT))
_TASK_MANAGEMENT = struct.Struct("<B3xI")  # tmr_type, cmd_cnt, behind the header of 8 bytes
_TASK_MANAGEMENT_OFFSET = 8
_COMMAND_IDS_OFFSET = 32


class TaskFunction(IntEnum):
    """Task management functions (TCMU_TMR_*; SAM-5 7). Others are told by their number."""

    ABORT_TASK = 1
    ABORT_TASK_SET = 2
    CLEAR_TASK_SET = 4
    LUN_RESET = 5
    TARGET_WARM_RESET = 6
    TARGET_COLD_RESET = 7


class TaskManagement(NamedTuple):
    """The kernel aborts commands, and waits until each of `command_ids` is answered."""

    function: int
    command_ids: frozenset[int]


class Entry:
    """One command taken from the ring.

    `segments` are (offset, length) pairs into the shared memory. The CDB is a copy, and so are
    the segments: the slot may be overwritten by another command's response.
    """

    __slots__ = (
        "bidirectional",
        "cdb",
        "command_id",
        "length_bytes",
        "loan",
        "segments",
        "unknown",
    )

    def __init__(self, command_id: int, cdb: bytes, segments: list[tuple[int, int]]) -> None:
        self.command_id = command_id
        self.cdb = cdb
        self.segments = segments
        self.length_bytes = sum(length for _, length in segments)
        self.bidirectional = False
        self.unknown = False
        self.loan: Loan | None = None


class Ring:
    """The user-space end of one TCMU ring. Construction refuses a ring that it cannot serve.

    Raises RingError if the mailbox is of another version, lacks out-of-order completion, lies
    about the memory, or was already consumed from: entries before a tail that is not 0 may be
    answered ones, and serving them again would replay old writes. Nothing read from the memory
    is believed: what cannot be is a RingError, never an access outside.
    """

    def __init__(self, memory: bytearray | mmap) -> None:
        self._memory = memoryview(memory).cast("B")
        if len(self._memory) < _MAILBOX_BYTES:
            raise RingError(f"{len(self._memory)} bytes of memory hold no mailbox")
        self._words = self._memory[:_MAILBOX_BYTES].cast("I")
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
        self._data: int = self._base + self._size
        if self._base < _MAILBOX_BYTES or not 0 < self._size <= len(self._memory) - self._base:
            raise RingError(
                f"ring at {self._base} of {self._size} bytes: expected it behind "
                f"{_MAILBOX_BYTES} and inside of {len(self._memory)}"
            )
        self._reads_length = bool(flags & FLAG_READ_LENGTH)
        self.keeps_buffers = bool(flags & FLAG_KEEP_BUFFER)
        """Whether `complete` may ask the kernel to keep a command's memory."""
        self._cursor = self._tail = 0
        self._taken = 0
        self.task_management: list[TaskManagement] = []
        """What `take` came across, for the caller to collect: each concerns commands before it."""

    def release(self) -> None:
        """Drop the views of the memory, so that an mmap beneath can be closed."""
        self._words.release()
        self._memory.release()

    @property
    def taken(self) -> int:
        """Commands taken and not completed yet."""
        return self._taken

    @property
    def data_bytes(self) -> int:
        """Size of the memory behind the ring that holds the data of commands."""
        return len(self._memory) - self._data

    def pending(self) -> bool:
        """Tell whether the kernel has put entries behind those taken so far."""
        return self._words[_HEAD_WORD] != self._cursor

    def take(self) -> Iterator[Entry]:
        """Yield each new command, in ring order. Raises RingError on a malformed entry."""
        head = self._words[_HEAD_WORD]
        if head >= self._size:
            raise RingError(f"ring head {head}: expected less than {self._size}")
        while self._cursor != head:
            offset = self._base + self._cursor
            length, opcode = self._slot(self._cursor, head)
            self._cursor = (self._cursor + length) % self._size
            if opcode in _FILLERS:
                if opcode == Opcode.TASK_MANAGEMENT:
                    self._note_task_management(offset, length)
                continue  # such slots are skipped again, and so given back, when completing
            entry = self._parse(offset, length, opcode)
            self._taken += 1
            yield entry
        if not self._taken:
            self._skip_fillers()

    def _note_task_management(self, offset: int, length: int) -> None:
        """Keep a struct tcmu_tmr_entry; its commands are told by their ids."""
        if length < _COMMAND_IDS_OFFSET:
            raise RingError(f"task management of {length} bytes: expected {_COMMAND_IDS_OFFSET}")
        function, count = _TASK_MANAGEMENT.unpack_from(
            self._memory, offset + _TASK_MANAGEMENT_OFFSET
        )
        stop = _COMMAND_IDS_OFFSET + 2 * count
        if stop > length:
            raise RingError(f"task management of {count} commands in {length} bytes")
        ids = self._memory[offset + _COMMAND_IDS_OFFSET : offset + stop].cast("H")
        self.task_management.append(TaskManagement(function, frozenset(ids)))

    def _parse(self, offset: int, length: int, opcode: int) -> Entry:
        _, command_id, _, _, iovecs, bidi_iovecs, _, cdb_offset = _ENTRY.unpack_from(
            self._memory, offset
        )
        if opcode != Opcode.COMMAND:
            entry = Entry(command_id, bytes(_CDB_BYTES), [])
            entry.unknown = True
            return entry
        start = offset + _IOVEC_OFFSET
        stop = start + iovecs * _IOVEC.size
        if not stop <= cdb_offset < offset + length or cdb_offset + _CDB_BYTES > len(self._memory):
            raise RingError(
                f"command {command_id}: {iovecs} segments and a CDB at {cdb_offset}: expected both "
                f"in the entry, {start} to {offset + length}"
            )
        if iovecs == 1:
            segments = [_IOVEC.unpack_from(self._memory, start)]
        else:
            segments = list(_IOVEC.iter_unpack(self._memory[start:stop]))
        cdb = self._memory[cdb_offset : cdb_offset + _CDB_BYTES].tobytes()
        entry = Entry(command_id, cdb, segments)
        entry.bidirectional = bidi_iovecs != 0
        self._check_segments(entry)
        return entry

    def _check_segments(self, entry: Entry) -> None:
        end = len(self._memory)
        for start, length in entry.segments:
            if start < self._data or start + length > end:
                raise RingError(
                    f"command {entry.command_id}: {length} bytes at {start}: expected them in the "
                    f"data area, {self._data} to {end}"
                )
        if entry.length_bytes > end - self._data:  # the kernel maps no block twice
            raise RingError(
                f"command {entry.command_id}: {entry.length_bytes} bytes in all: expected at most "
                f"the data area's {end - self._data}"
            )

    def complete(
        self,
        entry: Entry,
        status: int,
        sense: bytes = b"",
        *,
        read_length: int | None = None,
        keep: bool = False,
    ) -> None:
        """Write the response of `entry` into the slot at the tail and give that slot back.

        `read_length` is the number of bytes of data-in when it is less than the buffer; 0 cannot
        be said to the kernel, which then takes the whole buffer. `keep` asks the kernel not to
        give the command's memory to others yet. The caller kicks the kernel afterwards, once per
        batch.
        """
        if not self._taken:
            raise RingError(f"command {entry.command_id} completed, but none is outstanding")
        self._skip_fillers()
        tail = self._tail
        if tail == self._cursor:
            raise RingError(f"command {entry.command_id}: no slot is left to answer it in")
        slot = self._base + tail
        length, opcode = self._slot(tail, self._cursor)
        if opcode != Opcode.COMMAND:
            # The slot of an unknown kind now answers a command: say so, or the kernel warns.
            struct.pack_into("<I", self._memory, slot, length | Opcode.COMMAND)
        uflags = UFLAG_UNKNOWN_OPCODE if entry.unknown else 0
        if read_length and self._reads_length:
            uflags |= UFLAG_READ_LENGTH
        if keep:
            uflags |= UFLAG_KEEP_BUFFER
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
        self._tail = self._words[_TAIL_WORD] = (tail + length) % self._size
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

    def scatter(self, entry: Entry, data: bytes | memoryview, skip: int = 0) -> int:
        """Copy `data` to the data-in buffer of `entry`, as much as fits; return the bytes copied.

        `skip` is where in the buffer it goes. The buffer is not cleared: it may hold another
        command's data around what is copied.
        """
        view, done = memoryview(data), 0
        for offset, length in entry.segments:
            if skip >= length:
                skip -= length
                continue
            part = min(length - skip, len(view) - done)
            if part <= 0:
                break
            self._memory[offset + skip : offset + skip + part] = view[done : done + part]
            done += part
            skip = 0
        return done

    def _skip_fillers(self) -> None:
        tail = self._tail
        while tail != self._cursor:
            length, opcode = self._slot(tail, self._cursor)
            if opcode not in _FILLERS:
                break
            tail = (tail + length) % self._size
        if tail != self._tail:
            self._tail = self._words[_TAIL_WORD] = tail

    def _slot(self, position: int, stop: int) -> tuple[int, int]:
        """Return length and opcode of the slot at `position`.

        Slots end at `stop` or, before that, at the end of the ring: so no walk misses its end.
        """
        offset = self._base + position
        word = int.from_bytes(self._memory[offset : offset + 4], "little")
        length, opcode = word & ~_OPCODE_MASK, word & _OPCODE_MASK
        room = (stop if stop > position else self._size) - position
        least = _ALIGNMENT if opcode in _FILLERS else _ENTRY_BYTES_MIN
        if not least <= length <= room:
            raise RingError(
                f"entry length {length} (word {word:#x}) at {position}: expected {least} to {room}"
            )
        return length, opcode
