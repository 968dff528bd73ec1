"""What a scenario is: which faults, when, what is expected, and how the lab expresses it."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from certify.exercise import ExerciseKind
from certify.hosts import remote_hosts
from certify.lab import Array, Command, Engine, Lab
from fault_injectors import CommandFault
from fault_injectors.base import Fault
from reports.record import OutagePlan, ScenarioPlan, StepPlan

DEFAULT_LIMIT = "default"


class NotApplicableError(Exception):
    """The lab cannot express the scenario; the message names what the lab file lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fault of this lab, where it acts, and when: in seconds after the fault phase began.

    A step without `mend_at_s` is mended in the mend phase, in the order of the steps. With
    `whole_first` the schedule stands still before it until the lab is whole again.
    """

    fault: Fault
    reach: str
    at_s: float = 0.0
    mend_at_s: float | None = None
    whole_first: bool = False

    def plan(self) -> StepPlan:
        """Return the step as the protocol holds it."""
        return StepPlan(
            fault=self.fault.kind,
            subject=self.fault.subject,
            at_s=self.at_s,
            mend_at_s=self.mend_at_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What is broken, in time. No step begins when `budget_s` of the fault phase are over."""

    steps: tuple[Step, ...]
    budget_s: float | None = None

    @classmethod
    def of(cls, fault: Fault, reach: str) -> "Break":
        """Return the usual schedule: one fault at once, mended in the mend phase."""
        return cls(steps=(Step(fault=fault, reach=reach),))


def means_of(lab: Lab, scenario: str) -> Break | None:
    """Return the break that the lab file's [[means]] for *scenario* describe; None without them.

    They come before what the suite would do by itself: whoever wrote them knows the lab.
    """
    for means in lab.means:
        if means.scenario != scenario:
            continue
        commands = fields_of(means.apply, means.probe, means.heal, means.healed)
        return Break.of(CommandFault(subject=means.subject, **commands), means.reach)
    return None


def fields_of(
    apply: Command | None, probe: Command | None, heal: Command | None, healed: Command | None
) -> dict[str, Any]:
    """Return the fields of a CommandFault but for its subject; it has the longest time of all."""
    commands = (apply, probe, heal, healed)
    return {
        "apply_argv": argv_of(apply),
        "probe_argv": argv_of(probe),
        "heal_argv": argv_of(heal),
        "healed_argv": argv_of(healed),
        "timeout_s": max(one.timeout_s for one in commands if one),
    }


def argv_of(command: Command | None) -> tuple[str, ...]:
    """Return the words of a command, none for none."""
    return tuple(command.argv) if command else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that happens to a SAN. `build` makes the schedule, or None for a baseline.

    Times are the least that is observed: the fault phase goes on until I/O flows again, recovery
    until redundancy is shown, both up to the runner's caps. `vary` makes another schedule of what
    `build` returned; it gets a source of random numbers that is the same for the same seed of the
    run, scenario and repeat. `beside` returns what is broken after the lab file's own means.
    """

    id: str
    title: str
    kind: str  # of the first fault; "" for a baseline
    description: str
    expected: str
    requirement: str
    reference: str
    build: Callable[[Lab], Break | None]
    limit_failover_ms: float
    limit_failback_ms: float
    steady_s: float = 2.0
    fault_s: float = 3.0  # after the last step began or was mended
    recover_s: float = 1.5
    need: str = "nothing but a lab file"
    vary: Callable[[Break, random.Random], Break] | None = None
    beside: Callable[[Lab], tuple[Step, ...]] | None = None
    outage: OutagePlan | None = None
    exercises: tuple[ExerciseKind, ...] = ()
    asks: tuple[str, ...] = ()  # names in certify.asks

    def schedule(self, lab: Lab, *, seed: int, repeat: int = 1) -> Break | None:
        """Return what is broken in one repeat; None for a baseline.

        Raises NotApplicableError when the lab cannot express it.
        """
        for exercise in self.exercises:
            if lack := exercise.lacks(lab):
                raise NotApplicableError(lack)
        broken = means_of(lab, self.id)
        if broken is None:
            broken = self.build(lab)
        elif self.beside is not None:
            broken = replace(broken, steps=(*broken.steps, *self.beside(lab)))
        if broken is None or self.vary is None:
            return broken
        # Not for secrets: the same schedule for the same seed, on every machine.
        return self.vary(broken, random.Random(f"{seed}/{self.id}/{repeat}"))  # noqa: S311

    def plan(self, lab: Lab, *, repeats: int, seed: int = 1) -> ScenarioPlan:
        """Return what is to be done on *lab*; `not_run` says why if it cannot be."""
        steps: list[StepPlan] = []
        budget_s: float | None = None
        not_run = ""
        try:
            broken = self.schedule(lab, seed=seed)
            if broken is not None:
                steps, budget_s = [step.plan() for step in broken.steps], broken.budget_s
        except NotApplicableError as reason:
            not_run = str(reason)
        return ScenarioPlan(
            id=self.id,
            title=self.title,
            fault=steps[0].fault if steps else self.kind,
            subject=_subject(steps),
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
            need=self.need,
            steps=steps,
            budget_s=budget_s,
            varies=self.vary is not None,
            outage=self.outage,
            exercises=[exercise.name for exercise in self.exercises],
            asks=list(self.asks),
            hosts=[host.name for host in remote_hosts(lab)],
            hosts_lost=[host for one in lab.means if one.scenario == self.id for host in one.hosts],
        )


def _subject(steps: list[StepPlan]) -> str:
    """Return the names of what is broken, each once, in order."""
    return ", ".join(dict.fromkeys(step.subject for step in steps))


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
