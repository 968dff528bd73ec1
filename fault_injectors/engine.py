"""Faults of an engine that runs as a process: killed, or stopped in its tracks."""

import signal
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.process import DEAD, STOPPED, ProcessStat, process_stat
from fault_injectors.shell import FaultError, Shell


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProcess:
    """An engine found, started and asked by commands of the lab file; the base of two faults.

    `pid_argv` prints its process id, `start_argv` brings a dead one back, `ready_argv` exits 0
    when it serves. `pid` and `start_time` (clock ticks since boot) are filled by `prepare`.
    """

    subject: str
    pid_argv: tuple[str, ...]
    start_argv: tuple[str, ...]
    ready_argv: tuple[str, ...]
    timeout_s: float = 30.0
    pid: int = 0
    start_time: int = 0

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses an engine that does not run."""
        text = shell.run(self.pid_argv, timeout_s=self.timeout_s).stdout.strip()
        if not text.isdecimal():
            raise FaultError(f"{self.subject}: expected a process id, its command said {text!r}")
        stat = process_stat(shell, int(text))
        if stat is None or stat.state in DEAD:
            raise FaultError(f"{self.subject}: process {text} does not run before the fault")
        return replace(self, pid=int(text), start_time=stat.start_time)

    def heal(self, shell: Shell) -> None:
        """See Fault.heal: a stopped engine goes on, a dead one is started.

        A refusal to start is no error if the engine serves: someone else started it.
        """
        if (stat := self._same(shell)) is not None:
            if stat.state == STOPPED:
                shell.send_signal(self.pid, signal.SIGCONT)
            return
        started = shell.run(self.start_argv, timeout_s=self.timeout_s, check=False)
        if started.exit_status != 0 and not self._ready(shell):
            raise FaultError(f"{self.subject} cannot be started: {started.failure()}")

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: the engine says that it serves, and nothing holds its process."""
        stat = self._same(shell)
        if stat is not None and stat.state == STOPPED:
            return Proof(effective=False, seen=f"process {self.pid} is still stopped")
        asked = shell.run(self.ready_argv, timeout_s=self.timeout_s, check=False)
        word = "ready" if asked.exit_status == 0 else f"not ready: {asked.failure()}"
        return Proof(effective=asked.exit_status == 0, seen=f"{self.subject} {word}")

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _signal(self, shell: Shell, number: signal.Signals) -> None:
        """Send *number* to the process found by `prepare`, never to one that took its id."""
        if self._same(shell) is None:
            raise FaultError(f"{self.subject}: process {self.pid} is gone before the fault")
        shell.send_signal(self.pid, number)

    def _same(self, shell: Shell) -> ProcessStat | None:
        """Return the state of the prepared process, None once it is dead."""
        if not self.pid:
            raise FaultError(f"{self.subject}: not prepared; no process is known")
        stat = process_stat(shell, self.pid)
        if stat is None or stat.state in DEAD or stat.start_time != self.start_time:
            return None
        return stat

    def _ready(self, shell: Shell) -> bool:
        return shell.run(self.ready_argv, timeout_s=self.timeout_s, check=False).exit_status == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKill(EngineProcess):
    """The engine's process is killed, as by a power loss of the engine alone."""

    kind: ClassVar[str] = "engine_kill"
    label: ClassVar[str] = "Engine kill"
    colour: ClassVar[str] = "#D55E00"

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        self._signal(shell, signal.SIGKILL)

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: the process is gone."""
        stat = self._same(shell)
        if stat is None:
            return Proof(effective=True, seen=f"process {self.pid} is gone")
        return Proof(effective=False, seen=f"process {self.pid} is in state {stat.state}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHang(EngineProcess):
    """The engine's process is stopped: it holds all it has and answers nobody."""

    kind: ClassVar[str] = "engine_hang"
    label: ClassVar[str] = "Engine hang"
    colour: ClassVar[str] = "#CC79A7"

    def apply(self, shell: Shell) -> None:
        """See Fault.apply."""
        self._signal(shell, signal.SIGSTOP)

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: stopped, or killed meanwhile by whatever guards the engine."""
        stat = self._same(shell)
        if stat is None:
            seen = f"process {self.pid} is gone: the system under test killed the stopped engine"
            return Proof(effective=True, seen=seen)
        seen = f"process {self.pid} is in state {stat.state}"
        if stat.state == STOPPED:
            return Proof(effective=True, seen=f"{seen} (stopped)")
        return Proof(effective=False, seen=f"{seen}, expected {STOPPED} (stopped)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerHang(EngineHang):
    """What manages an engine is stopped, while the engine itself goes on."""

    kind: ClassVar[str] = "manager_hang"
    label: ClassVar[str] = "Management hung"
    colour: ClassVar[str] = "#999933"
