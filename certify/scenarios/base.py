"""What a scenario is: which fault, for how long, what is expected, and how the lab expresses it."""

from collections.abc import Callable
from dataclasses import dataclass

from certify.lab import Array, Engine, Lab
from fault_injectors.base import Fault
from reports.record import ScenarioPlan

DEFAULT_LIMIT = "default"


class NotApplicableError(Exception):
    """The lab cannot express the scenario; the message names what the lab file lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A fault of this lab and where it acts."""

    fault: Fault
    reach: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that happens to a SAN. `build` makes the fault, or None for a baseline.

    Times are the least that is observed: the fault phase goes on until I/O flows again, recovery
    until redundancy is shown, both up to the runner's caps.
    """

    id: str
    title: str
    kind: str  # of the fault; "" for a baseline
    description: str
    expected: str
    requirement: str
    reference: str
    build: Callable[[Lab], Break | None]
    limit_failover_ms: float
    limit_failback_ms: float
    steady_s: float = 2.0
    fault_s: float = 3.0
    recover_s: float = 1.5

    def plan(self, lab: Lab, *, repeats: int) -> ScenarioPlan:
        """Return what is to be done on *lab*; `not_run` says why if it cannot be."""
        subject, not_run = "", ""
        try:
            broken = self.build(lab)
            subject = broken.fault.subject if broken else ""
        except NotApplicableError as reason:
            not_run = str(reason)
        return ScenarioPlan(
            id=self.id,
            title=self.title,
            fault=self.kind,
            subject=subject,
            description=self.description,
            expected=self.expected,
            requirement=self.requirement,
            reference=self.reference,
            limit_failover_ms=_limit(lab.limits.failover_ms, self.id, self.limit_failover_ms),
            limit_failback_ms=_limit(lab.limits.failback_ms, self.id, self.limit_failback_ms),
            steady_s=self.steady_s,
            fault_s=self.fault_s,
            recover_s=self.recover_s,
            repeats=repeats,
            not_run=not_run,
        )


def _limit(limits: dict[str, float], scenario: str, own: float) -> float:
    return limits.get(scenario, limits.get(DEFAULT_LIMIT, own))


def engine_at(lab: Lab, index: int) -> Engine:
    """Return the engine at *index* in the lab file, whose process the suite can reach.

    Raises NotApplicableError when it is not there or the file names no commands for it.
    """
    if index >= len(lab.engine):
        raise NotApplicableError(f"the lab file names {len(lab.engine)} engines")
    engine = lab.engine[index]
    missing = [name for name in ("pid", "start", "ready") if getattr(engine, name) is None]
    if missing:
        raise NotApplicableError(f"engine {engine.name} has no command {', '.join(missing)}")
    return engine


def array_at(lab: Lab, index: int) -> Array:
    """Return the array at *index* in the lab file; raise NotApplicableError if there is none."""
    if index >= len(lab.array):
        raise NotApplicableError(f"the lab file names {len(lab.array)} arrays")
    return lab.array[index]


def host_reach(lab: Lab, host: str) -> str:
    """Return how a host is reached; raise NotApplicableError when the file does not name it."""
    for one in lab.host:
        if one.name == host:
            return one.reach
    raise NotApplicableError(f"the lab file names no host {host}")
