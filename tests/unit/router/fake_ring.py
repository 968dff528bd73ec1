"""The kernel's side of a TCMU ring in plain memory, small enough that it wraps in a test."""

import struct

CMDR_OFFSET = 128
ENTRY_BYTES_MIN = 112
OP_PAD, OP_COMMAND, OP_TASK_MANAGEMENT = 0, 1, 2


class FakeKernel:
    """Queues commands and collects responses as target_core_user.c does."""

    def __init__(self, *, ring_bytes: int = 1024, data_bytes: int = 8192, flags: int = 3) -> None:
        self.ring_bytes = ring_bytes
        self.memory = bytearray(CMDR_OFFSET + ring_bytes + data_bytes)
        self.data_offset = CMDR_OFFSET + ring_bytes
        struct.pack_into("<HHII", self.memory, 0, 2, flags, CMDR_OFFSET, ring_bytes)
        self.cleaned = 0
        self.known: set[int] = set()

    @property
    def head(self) -> int:
        return struct.unpack_from("<I", self.memory, 12)[0]

    @property
    def tail(self) -> int:
        return struct.unpack_from("<I", self.memory, 64)[0]

    def set_tail(self, value: int) -> None:
        struct.pack_into("<I", self.memory, 64, value)

    def free_bytes(self) -> int:
        used = (self.head - self.cleaned) % self.ring_bytes
        return self.ring_bytes - used - 1

    def queue(
        self,
        command_id: int,
        cdb: bytes,
        segments: tuple[tuple[int, int], ...] = (),
        *,
        opcode: int = OP_COMMAND,
        bidirectional: int = 0,
    ) -> bool:
        """Queue one entry, with padding where it would not fit; tell whether there was room."""
        base = max(48 + 16 * len(segments), ENTRY_BYTES_MIN)
        length = base + 16
        to_end = self.ring_bytes - self.head
        if self.free_bytes() < (length if to_end >= length else length + to_end):
            return False
        if to_end < length:
            struct.pack_into("<I", self.memory, CMDR_OFFSET + self.head, to_end | OP_PAD)
            struct.pack_into("<I", self.memory, 12, 0)
        offset = CMDR_OFFSET + self.head
        self.memory[offset : offset + length] = bytes(length)
        struct.pack_into(
            "<IHBBIII4xQ",
            self.memory,
            offset,
            *(length | opcode, command_id, 0, 0, len(segments), bidirectional, 0, offset + base),
        )
        for index, (start, size) in enumerate(segments):
            where = offset + 48 + 16 * index
            struct.pack_into("<QQ", self.memory, where, self.data_offset + start, size)
        self.memory[offset + base : offset + base + 16] = cdb.ljust(16, b"\0")
        struct.pack_into("<I", self.memory, 12, (self.head + length) % self.ring_bytes)
        if opcode not in (OP_PAD, OP_TASK_MANAGEMENT):
            self.known.add(command_id)
        return True

    def queue_task_management(self, function: int, *command_ids: int, count: int = -1) -> None:
        """Queue a struct tcmu_tmr_entry, as queue_tmr_ring() does."""
        offset = CMDR_OFFSET + self.head
        length = -(-(32 + 2 * len(command_ids)) // 8) * 8
        self.memory[offset : offset + length] = bytes(length)
        struct.pack_into("<I", self.memory, offset, length | OP_TASK_MANAGEMENT)
        seen = len(command_ids) if count < 0 else count
        struct.pack_into("<B3xI", self.memory, offset + 8, function, seen)
        struct.pack_into(f"<{len(command_ids)}H", self.memory, offset + 32, *command_ids)
        struct.pack_into("<I", self.memory, 12, (self.head + length) % self.ring_bytes)

    def responses(self) -> list[tuple[int, int, int, int, bytes]]:
        """Take back what was given: (command id, uflags, status, read length, sense)."""
        taken = []
        while self.cleaned != self.tail:
            offset = CMDR_OFFSET + self.cleaned
            (word,) = struct.unpack_from("<I", self.memory, offset)
            opcode, length = word & 7, word & ~7
            if opcode not in (OP_PAD, OP_TASK_MANAGEMENT):
                assert opcode == OP_COMMAND, "the kernel warns about any other kind"
                command_id, _, uflags, status, _, _, read_length = struct.unpack_from(
                    "<HBBBBHI", self.memory, offset + 4
                )
                self.known.remove(command_id)
                sense = bytes(self.memory[offset + 16 : offset + 16 + 18])
                taken.append((command_id, uflags, status, read_length, sense))
            self.cleaned = (self.cleaned + length) % self.ring_bytes
        return taken
