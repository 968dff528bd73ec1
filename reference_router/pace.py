"""How eager an engine is to run: at once when hosts wait for single commands, later when many come.

On a processor that it shares with a host's own work (the virtual lab has one for everything), an
engine that preempts the host at each command finds one command each time. Under a deep queue the
host gets further if it is let finish what it has to say: rounds are fewer, and each takes more. The
policy is pure, but for `apply`.
"""

import contextlib
import os

_DEEP, _SHALLOW = 8, 4
_PATIENCE = 3
EAGER_NICE = -10
"""Before the host's own work on the same machine."""


class Pace:
    """Decides by how many commands are under way whenever it is asked, at a steady interval."""

    def __init__(self) -> None:
        self.eager = True
        self._deep = 0

    def look(self, under_way: int) -> bool:
        """Take the number of commands under way; tell whether `eager` has changed.

        It takes several deep queues in a row to let go of eagerness, and one shallow queue to
        return to it.
        """
        before = self.eager
        if under_way >= _DEEP:
            self._deep += 1
        elif under_way < _SHALLOW:
            self._deep = 0
        self.eager = self._deep < _PATIENCE
        return self.eager is not before


def apply(*, eager: bool) -> None:
    """Set this thread's scheduling; without the privilege for it, leave it as it is.

    SCHED_BATCH does not preempt whoever runs when it wakes (check_preempt_wakeup() in
    kernel/sched/fair.c of Linux 6.1).
    """
    policy = os.SCHED_OTHER if eager else os.SCHED_BATCH
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, policy, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, EAGER_NICE if eager else 0)
