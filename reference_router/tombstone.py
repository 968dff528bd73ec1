"""A tombstone: answers every command of a dead engine's device NOT READY, at once. Shell.

SPC-4 5.11.2.6 words it: LOGICAL UNIT NOT ACCESSIBLE, TARGET PORT IN UNAVAILABLE STATE. The host's
multipath takes another path in milliseconds, instead of waiting for the kernel's command time-out.
"""

import os
from pathlib import Path

from reference_router.configfs import RESET_FAIL
from reference_router.front import UioDevice
from reference_router.ring import Ring, RingError
from reference_router.scsi import TARGET_PORT_UNAVAILABLE, Status

_SENSE = TARGET_PORT_UNAVAILABLE.fixed()


class Tombstone:
    """Stands in for an engine on one device. The engine's process must be dead."""

    def __init__(self, node: Path, reset_fd: int) -> None:
        """Fail what is under way (reset_ring), then take the device over.

        Raises OSError, EBUSY if the engine still has it; RingError if the ring is not sound.
        """
        os.write(reset_fd, RESET_FAIL)
        self._uio = UioDevice(node)
        self._ring = Ring(self._uio.memory)
        self._reset_fd = reset_fd
        self.answered = 0
        self.answer()

    def fileno(self) -> int:
        """Return the descriptor, to poll edge-triggered."""
        return self._uio.fd

    def answer(self) -> None:
        """Answer all that has come. A ring that went out of order is reset and begun again."""
        ring = self._ring
        if not ring.pending():
            return
        try:
            for entry in ring.take():
                ring.complete(entry, Status.CHECK_CONDITION, _SENSE)
                self.answered += 1
        except RingError:
            ring.release()
            os.write(self._reset_fd, RESET_FAIL)
            self._ring = Ring(self._uio.memory)
            return
        self._uio.kick()

    def close(self) -> None:
        """Leave the device to its next owner."""
        self._ring.release()
        self._uio.close()
