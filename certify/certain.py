"""How much of a wait was surely the system's, whatever the measuring host missed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from certify import stall
from certify.history import Window
from certify.standstill import Standstills, certain_ms, overlapping
from reports.record import IoRecord


@dataclass(frozen=True, slots=True)
class Certain:
    """The longest wait that surely was the system's, in spite of all that the suite missed."""

    application: Sequence[IoRecord]
    late: Sequence[Window]  # waits of the control probe
    seen: Standstills
    end_ns: int

    def longest_ms(self, window: Window | None, *, from_start: bool) -> float | None:
        """Return it for the I/Os due or outstanding in *window*; None if there were none.

        *from_start*: what an I/O waited before the window is not counted.
        """
        if window is None:
            return None
        start_ns = window.start_ns if from_start else 0
        waits = [
            (stall.done_ns(io, self.end_ns) - max(io.due_ns, start_ns), at)
            for at, io in enumerate(self.application)
            if io.due_ns < window.end_ns and stall.done_ns(io, self.end_ns) >= window.start_ns
        ]
        best = 0.0
        for wait_ns, at in sorted(waits, reverse=True):
            if wait_ns / stall.NS_PER_MS <= best:
                break  # the longest first: none of the others can be more certain than it is long
            best = max(best, self._ms(self.application[at], start_ns))
        return best if waits else None

    def _ms(self, io: IoRecord, start_ns: int) -> float:
        done_ns = stall.done_ns(io, self.end_ns)
        control = overlapping(self.late, max(io.due_ns, start_ns), done_ns)
        return certain_ms(io, start_ns=start_ns, done_ns=done_ns, seen=self.seen, control=control)
