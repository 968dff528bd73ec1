"""Unit attention conditions that wait to be reported, by host (SAM-5 5.14). Pure."""

from reference_router.scsi import Sense, SenseKey

RESET_OCCURRED = (0x29, 0x03)
"""BUS DEVICE RESET FUNCTION OCCURRED: LOGICAL UNIT RESET's (SAM-5 6.3.3)."""
_RESETS_ASC = 0x29


class Attentions:
    """The pending conditions of one engine's nexuses. False while there are none."""

    def __init__(self) -> None:
        self._pending: dict[str, list[tuple[int, int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._pending)

    def add(self, host: str, asc: int, ascq: int) -> None:
        """Establish a condition, once. Resets come first, the others in the order of events."""
        pending = self._pending.setdefault(host, [])
        if (asc, ascq) in pending:
            return
        if asc == _RESETS_ASC:
            place = sum(each[0] == _RESETS_ASC for each in pending)
            pending.insert(place, (asc, ascq))
        else:
            pending.append((asc, ascq))

    def take(self, host: str, *, only_resets: bool = False) -> Sense | None:
        """Return the first condition of `host` as sense and clear it; None if there is none."""
        pending = self._pending.get(host)
        if not pending or (only_resets and pending[0][0] != _RESETS_ASC):
            return None
        asc, ascq = pending.pop(0)
        if not pending:
            del self._pending[host]
        return Sense(SenseKey.UNIT_ATTENTION, asc, ascq)
