"""SCSI generic, asynchronously: commands go into /dev/sgN and come back when they have ended.

`struct sg_io_hdr` of `include/scsi/sg.h`, written to the node and read from it (`sg_new_write`
and `sg_new_read` in drivers/scsi/sg.c). A node's descriptor takes 16 commands at a time
(SG_MAX_QUEUE); more wait here.
"""

import ctypes
import errno
import fcntl
import os
import struct
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from certify.saboteurs.values import (
    CHECK_CONDITION,
    Command,
    Outcome,
    cdb_bytes,
    check_condition,
    takes_data,
    unavailable,
)

# interface_id, direction, cmd_len, mx_sb_len, iovec_count, dxfer_len, dxferp, cmdp, sbp, timeout,
# flags, pack_id, usr_ptr, status, masked_status, msg_status, sb_len_wr, host_status,
# driver_status, resid, duration, info
_HEADER = struct.Struct("@iiBBHIPPPIIiPBBBBHHiII0P")
_SENSE_BYTES = 96
_TO_DEVICE, _FROM_DEVICE, _NONE = -2, -3, -1
_AT_ONCE_MAX = 16
_RESET, _RESET_UNIT = 0x2284, 0x101  # SG_SCSI_RESET; _DEVICE without escalation
TIMEOUT_MS = 120_000
"""Longer than any defect holds a command, so that it is the router that ends one."""

Then = Callable[[Outcome], None]


@dataclass(slots=True)
class _Flight:
    """A command under way; its buffers must live as long as the kernel knows their addresses."""

    command: Command
    then: Then
    buffer: "ctypes.Array[ctypes.c_char]"
    cdb: "ctypes.Array[ctypes.c_char]"
    sense: "ctypes.Array[ctypes.c_char]"


@dataclass(slots=True)
class Passage:
    """One way to one of the router's disks, by its open SCSI generic node."""

    descriptor: int
    _flights: dict[int, _Flight] = field(default_factory=dict)
    _waiting: deque[tuple[Command, Then]] = field(default_factory=deque)
    _last: int = 0

    @classmethod
    def open(cls, node: str) -> "Passage":
        """Open /dev/sgN. Raises OSError."""
        return cls(os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))

    def send(self, command: Command, then: Then) -> None:
        """Send a command; *then* gets its outcome, later, from `reap`, or at once if it is lost."""
        if command.opcode == 0x7F:  # longer than sg's header takes; the router has none of them
            then(check_condition(0x5, 0x20))
            return
        self._waiting.append((command, then))
        self._fill()

    def reset(self) -> None:
        """Reset the logical unit, and wait until that is done: what comes later comes after it."""
        with suppress(OSError):  # a unit that cannot be reset is lost, which its commands will say
            fcntl.ioctl(self.descriptor, _RESET, _RESET_UNIT.to_bytes(4, sys.byteorder))

    def reap(self) -> None:
        """Collect every command that has ended."""
        while self._flights:
            try:
                answer = os.read(self.descriptor, _HEADER.size)
            except BlockingIOError:
                break
            except OSError:
                self._lose_all()
                break
            self._land(answer)
        self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._flights) < _AT_ONCE_MAX:
            command, then = self._waiting.popleft()
            self._launch(command, then)

    def _launch(self, command: Command, then: Then) -> None:
        length = cdb_bytes(command.opcode)
        size = len(command.data_out) or command.room
        flight = _Flight(
            command,
            then,
            ctypes.create_string_buffer(command.data_out, size)
            if command.data_out
            else ctypes.create_string_buffer(max(size, 1)),
            ctypes.create_string_buffer(command.cdb[:length], length),
            ctypes.create_string_buffer(_SENSE_BYTES),
        )
        self._last = (self._last + 1) & 0x7FFFFFFF
        self._flights[self._last] = flight
        try:
            os.write(self.descriptor, self._header(flight, length, size))
        except OSError as error:
            del self._flights[self._last]
            if error.errno == errno.EDOM:  # the queue is full after all
                self._waiting.appendleft((command, then))
                return
            then(unavailable())

    def _header(self, flight: _Flight, cdb_length: int, size: int) -> bytes:
        direction = _NONE
        if size:
            direction = _TO_DEVICE if takes_data(flight.command.opcode) else _FROM_DEVICE
        return _HEADER.pack(
            *(ord("S"), direction, cdb_length, _SENSE_BYTES, 0, size),
            *(ctypes.addressof(flight.buffer) if size else 0, ctypes.addressof(flight.cdb)),
            *(ctypes.addressof(flight.sense), TIMEOUT_MS, 0, self._last, 0),
            *(0, 0, 0, 0, 0, 0, 0, 0, 0),
        )

    def _land(self, answer: bytes) -> None:
        (*_, number, _, status, _, _, sense_length, host, driver, residual, _, _) = _HEADER.unpack(
            answer
        )
        flight = self._flights.pop(number)
        flight.then(_outcome(flight, status, sense_length, host, driver & 0x7, residual))

    def _lose_all(self) -> None:
        """The node is gone: nothing that is under way comes back."""
        flights, self._flights = list(self._flights.values()), {}
        for flight in flights:
            flight.then(unavailable())

    def close(self) -> None:
        """Close the node."""
        with suppress(OSError):
            os.close(self.descriptor)


def _outcome(
    flight: _Flight, status: int, sense_length: int, host: int, driver: int, residual: int
) -> Outcome:
    """Make an outcome of an answer; a transport error (DID_* in scsi_status.h) is a lost path."""
    if host or (driver and not sense_length):
        return unavailable()
    data = b""
    if not takes_data(flight.command.opcode) and flight.command.room:
        data = flight.buffer.raw[: max(flight.command.room - max(residual, 0), 0)]
    sense = flight.sense.raw[:sense_length] if status == CHECK_CONDITION else b""
    return Outcome(status=status, sense=sense, data=data)
