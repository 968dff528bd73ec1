"""What a scenario does beside the load, while the fault comes and goes.

A reservation held over a failover, a database under pgbench, a conformance suite: the runner starts
an exercise with the load, stops it after the load, and it says in events what came of it. It judges
nothing but its own expectations; the judge makes one line of each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from certify.devices import LabDevices
from certify.lab import Lab
from fault_injectors import Shell
from reports.record import EventKind, EventRecord


class Events(Protocol):
    """Where events go; certify.recorder.Recorder is one. Any thread may call it."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What an exercise gets to work with.

    `phase` returns the phase that the scenario is in: an exercise that has to act while the fault
    is in asks it from a thread of its own. `shells` starts commands outside the measuring process.
    """

    lab: Lab
    devices: LabDevices
    events: Events
    shells: Callable[[str], Shell]
    run_id: str
    seed: int  # of this repeat
    ordinal: int  # of this repeat in the run, from 1
    phase: Callable[[], str]
    journal: Path | None = None  # of the run: what must be undone if the run is killed
    logs: Path = Path("logs")  # of the run; what an exercise puts there is evidence

    def report(self, subject: str, *, expected: str, observed: str, good: bool | None) -> None:
        """Say what came of an exercise; *good* is None where nothing can be said.

        *subject* is the exercise's name, or begins with it and ": " where it has several results.
        """
        self.events.event(
            EventKind.EXERCISE, subject, observed, {"expected": expected, "good": good}
        )


class Exercise(Protocol):
    """One exercise of one repeat. Raises LabError, FaultError or OSError when it cannot go on."""

    def start(self) -> None:
        """Begin, and return: what goes on does so in threads or processes of its own."""
        ...

    def stop(self) -> None:
        """End, clean up, and `Stage.report` at least once; called whatever happened after start."""
        ...


def _nothing(lab: Lab) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseKind:
    """An exercise as a scenario names it: `ExerciseKind(name="pgbench", make=PgBench)`.

    `lacks` says what the lab lacks for it, "" for nothing: the scenario is then NOT RUN.
    """

    name: str
    make: Callable[[Stage], Exercise]
    lacks: Callable[[Lab], str] = field(default=_nothing)
