"""How long an engine may be silent before it counts as hung."""

from pathlib import Path

_RUNNABLE = "R"
_PATIENCE = 4
"""An engine that runs or waits for a processor gets this many time-outs. It does not hang: the
machine is busy. One that spins without ever serving is killed when they have passed."""


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
