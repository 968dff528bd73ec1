"""How long an engine may be silent before it counts as hung."""

from pathlib import Path

START_LIMIT_NS = 20_000_000_000
"""Until the first beat: an engine has its modules to load, on whatever machine that is."""
_RUNNABLE = "R"
_PATIENCE = 4
"""An engine that runs or waits for a processor gets this many time-outs. It does not hang: the
machine is busy. One that spins without ever serving is killed when they have passed."""


class Pulse:
    """What a supervisor knows of the beats of its engine. Times are of one clock, in ns.

    `limit_ns` is how long the engine may be silent, as long as it does not wait for a processor.
    """

    def __init__(self, beat_limit_ns: int) -> None:
        self._beat_limit_ns = beat_limit_ns
        self._since_ns = 0
        self.limit_ns = START_LIMIT_NS

    def started(self, now_ns: int) -> None:
        """The engine was started, and has not beaten yet."""
        self._since_ns, self.limit_ns = now_ns, START_LIMIT_NS

    def beat(self, now_ns: int) -> None:
        """The engine beat."""
        self._since_ns, self.limit_ns = now_ns, self._beat_limit_ns

    def excuse(self, now_ns: int) -> None:
        """Count anew: who listens was held up itself.

        An engine that has not beaten yet is still starting, and keeps the limit for that.
        """
        self._since_ns = now_ns

    def silent_ns(self, now_ns: int) -> int:
        """Return how long the engine has been silent."""
        return now_ns - self._since_ns


def patience(limit_ns: int, state: str) -> int:
    """Return the silence in ns after which an engine in this process state is killed.

    A stopped, sleeping or blocked engine that does not beat hangs, and gets no more than the limit.
    """
    return limit_ns * _PATIENCE if state == _RUNNABLE else limit_ns


def process_state(pid: int) -> str:
    """Return the state letter of a process (proc(5), /proc/PID/stat), "" if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # The name before the state may hold anything, closing brackets included.
    return text.rpartition(")")[2].split()[0]
