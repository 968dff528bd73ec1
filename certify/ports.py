"""What the runner needs from the world: each a seam where tests put something else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from certify.deadline import Clock
from certify.exercise import Exercise
from certify.observe import Observer
from certify.probes import Emit, Pulse
from certify.scenarios.base import Step
from fault_injectors import Proof
from reports.record import EventKind, EventRecord, IoRecord


class History(Protocol):
    """Where events and I/Os go; certify.recorder.Recorder is one."""

    def begin(self, scenario: str, repeat: int) -> None:
        """Let all that follows belong to one repeat of one scenario."""
        ...

    def end(self) -> None:
        """Close the repeat."""
        ...

    def event(
        self,
        kind: EventKind,
        subject: str,
        detail: str = "",
        data: dict[str, Any] | None = None,
        t_ns: int | None = None,
    ) -> EventRecord:
        """Record one event."""
        ...

    def io(self, record: IoRecord) -> None:
        """Record one I/O."""
        ...


class Load(Protocol):
    """The probes of one repeat; certify.load.Load is one."""

    def start(self) -> None:
        """Begin."""
        ...

    def pulses(self) -> dict[str, Pulse]:
        """Return how the probes are doing."""
        ...

    def paths_up(self) -> tuple[int, int]:
        """Return how many paths answer, and how many there are."""
        ...

    def failure(self) -> str:
        """Return what ended a probe before its time."""
        ...

    def flowing(self, within_ms: float) -> bool:
        """Say whether the application's I/O flows."""
        ...

    def stop(self, *, timeout_s: float) -> int:
        """End, and return how many I/Os of the application never ended."""
        ...

    def written(self) -> list[int]:
        """Return the LBAs that were written."""
        ...


class Injection(Protocol):
    """A fault on its way; fault_injectors.Injection is one."""

    @property
    def outstanding(self) -> bool:
        """Intended, and not yet seen healed."""
        ...

    def inject(self) -> None:
        """Apply the fault."""
        ...

    def prove(self, *, timeout_s: float = ...) -> Proof:
        """Look for the fault."""
        ...

    def mend(self) -> None:
        """Undo the fault."""
        ...

    def prove_mended(self, *, timeout_s: float = ...) -> Proof:
        """Look for the thing being whole again."""
        ...

    def undo(self, *, timeout_s: float = ...) -> None:
        """Whatever happened, mend and wait for health."""
        ...


class Narrator(Protocol):
    """Who tells a human; certify.console.Console is one."""

    def phase(self, name: str, detail: str, *, left_s: float) -> None:
        """A phase began; *left_s* is about how long the rest of the scenario takes."""
        ...

    def pulse(self, pulses: dict[str, Pulse], paths_up: tuple[int, int]) -> None:
        """How the probes and the paths are doing, several times a second."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Everything that the runner touches."""

    history: History
    narrator: Narrator
    clock: Clock
    sleep: Callable[[float], None]
    observers: Callable[[], Sequence[Observer]]
    load: Callable[[int, Emit], Load]  # takes the ordinal of the repeat in the run
    settle: Callable[[], None]  # has the hosts do now what they would do at some time anyhow
    prepare: Callable[[Step], Injection]
    looks: Sequence[Callable[[], list[str]]]  # what is not whole, cheap looks first
    verify: Callable[[History, list[int]], None]  # reads back and compares, as events and I/Os
    exercises: Callable[[Callable[[], str]], Sequence[Exercise]]  # takes what tells the phase

    def problems(self) -> list[str]:
        """Return what the first look that finds anything finds, [] if the lab is whole."""
        return next((found for look in self.looks if (found := look())), [])
