"""A shell whose commands step back for others: asking must not disturb what is being measured.

In a virtual lab the suite, the host and the system under test share one CPU. Whatever the suite
starts there inherits the preference that its probes need, and would take the CPU from the engines.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass

from fault_injectors import Completed, Shell, shell_for

STEP_BACK = 15
"""Added to the niceness of the suite (certify.load.NICE): behind everything of the default."""


@dataclass(frozen=True, slots=True)
class PoliteShell:
    """Another shell, whose commands run by nice(1)."""

    inner: Shell

    @property
    def reach(self) -> str:
        """See Shell.reach."""
        return self.inner.reach

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        """See Shell.run."""
        polite = ["nice", "-n", str(STEP_BACK), *argv]
        return self.inner.run(polite, timeout_s=timeout_s, check=check)

    def read_text(self, path: str) -> str:
        """See Shell.read_text."""
        return self.inner.read_text(path)

    def write_text(self, path: str, text: str) -> None:
        """See Shell.write_text."""
        self.inner.write_text(path, text)

    def exists(self, path: str) -> bool:
        """See Shell.exists."""
        return self.inner.exists(path)

    def glob(self, pattern: str) -> list[str]:
        """See Shell.glob."""
        return self.inner.glob(pattern)

    def send_signal(self, pid: int, number: signal.Signals) -> None:
        """See Shell.send_signal."""
        self.inner.send_signal(pid, number)


def polite_shell_for(reach: str) -> Shell:
    """Return the shell that a lab file calls *reach*, with commands that step back."""
    return PoliteShell(shell_for(reach))
