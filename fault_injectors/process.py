"""A process identified beyond reuse of its number, as /proc shows it."""

from dataclasses import dataclass

from fault_injectors.shell import FaultError, Shell

STATE_FIELD = 3
START_TIME_FIELD = 22
"""Numbers of fields of /proc/PID/stat as proc(5) counts them, from 1."""

STOPPED = "T"
DEAD = frozenset({"Z", "X", "x"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStat:
    """What /proc/PID/stat says: state letter, and start time in clock ticks since boot."""

    state: str
    start_time: int


def process_stat(shell: Shell, pid: int) -> ProcessStat | None:
    """Return the state of process *pid*, None if there is none."""
    path = f"/proc/{pid}/stat"
    try:
        text = shell.read_text(path)
    except FaultError:
        if shell.exists(path):
            raise
        return None
    # The second field is the command in brackets and may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return ProcessStat(state=fields[STATE_FIELD - 3], start_time=int(fields[START_TIME_FIELD - 3]))
