"""A watchdog of the suite itself: it beats, and tells when it did not.

A thread that only sleeps and looks at the clock. When the process is stopped, its guest paused or
its CPU taken away, the beat is late: then no probe could send or see anything either. It does no
I/O, so the system under test cannot delay it except by taking the CPU, which is noise as well.
"""

import time

from certify.deadline import Clock
from certify.lab import Lab
from certify.watcher import Emit, Watcher
from reports.record import EventKind

BEAT_S = 0.01
BEAT_EMULATED_S = 0.04
"""An emulated CPU, on which waking up costs about 18 times as much."""
NOTICE_BEATS = 3
"""Later by so many beats than it was due, a beat is news; less is ordinary scheduling."""
SUBJECT = "suite"


def beat_s_of(lab: Lab) -> float:
    """Return how often the suite's heart beats on a lab, in seconds."""
    return BEAT_EMULATED_S if lab.lab.times_indicative else BEAT_S


class Heartbeat:
    """An Observer that emits STANDSTILL events: `data` has `from_ns`, the last beat's due end."""

    def __init__(self, *, beat_s: float = BEAT_S, clock: Clock = time.monotonic_ns) -> None:
        self._beat_s = beat_s
        self._clock = clock
        self._last_ns = 0
        self._watcher: Watcher | None = None

    def start(self, emit: Emit) -> None:
        """See Observer.start."""
        self._last_ns = self._clock()

        def step() -> None:
            watcher.wait(self._beat_s)
            self.beat(emit)

        def fail(error: Exception) -> None:
            emit(EventKind.NOTE, SUBJECT, str(error), {}, self._clock())

        watcher = self._watcher = Watcher("heartbeat", step, fail)
        watcher.start()

    def stop(self) -> None:
        """See Observer.stop."""
        if self._watcher:
            self._watcher.stop()

    def beat(self, emit: Emit) -> None:
        """Look at the clock; tell if more time passed than the beat accounts for."""
        now, last = self._clock(), self._last_ns
        self._last_ns = now
        beat_ns = int(self._beat_s * 1e9)
        if now - last - beat_ns < NOTICE_BEATS * beat_ns:
            return
        from_ns = last + beat_ns // 2  # it came at any time of the beat: half of one either way
        detail = f"the measuring process stood still for {(now - from_ns) / 1e6:.0f} ms"
        tell_standstill(emit, detail, from_ns, now)


def tell_standstill(emit: Emit, detail: str, from_ns: int, until_ns: int) -> None:
    """Emit that the suite, or a part of it, was not let run for a while."""
    data = {"from_ns": from_ns, "ms": (until_ns - from_ns) / 1e6}
    emit(EventKind.STANDSTILL, SUBJECT, detail, data, until_ns)
