"""Runs many seeds, in several processes if asked to, and adds up what they did."""

import multiprocessing
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reference_router.simulator.bugs import planted
from reference_router.simulator.draw import FAMILIES, draw
from reference_router.simulator.plan import Plan
from reference_router.simulator.violation import Violation
from reference_router.simulator.world import World

CRASHED = "the core raised"
_BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a run. `invariant` is "" if none was broken."""

    seed: int
    digest: str
    invariant: str = ""
    text: str = ""
    operations: int = 0
    leg_ios: int = 0
    messages: int = 0
    faults: int = 0
    events: int = 0
    virtual_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Seeds to run, and how."""

    first: int
    count: int
    families: tuple[str, ...] = FAMILIES
    operations: int = 40
    bug: str = ""


def run_plan(plan: Plan, *, bug: str = "", keep_trace: bool = False) -> tuple[Outcome, World]:
    """Run one plan. An exception out of the core is a violation too, named `CRASHED`."""
    with planted(bug):
        world = World(plan, keep_trace=keep_trace)
        invariant = text = ""
        try:
            world.run()
        except Violation as violation:
            invariant, text = violation.invariant, violation.text
        except Exception as error:  # whatever it is, the engine would have died of it
            invariant, text = CRASHED, f"{type(error).__name__}: {error}"
            world.say("violation", invariant, text)
    outcome = Outcome(
        seed=plan.seed,
        digest=world.digest,
        invariant=invariant,
        text=text,
        operations=world.hosts.done + world.registrations.done,
        leg_ios=world.storage.io_count,
        messages=world.wire.messages,
        faults=world.faults.begun,
        events=world.events,
        virtual_ns=world.now_ns,
    )
    return outcome, world


def run_seeds(order: Order) -> list[Outcome]:
    """Run the seeds of an order, one after the other."""
    seeds = range(order.first, order.first + order.count)
    plans = (draw(seed, order.families, operations=order.operations) for seed in seeds)
    return [run_plan(plan, bug=order.bug)[0] for plan in plans]


def outcomes(order: Order, *, jobs: int) -> Iterator[Outcome]:
    """Yield what became of each seed, in the order of the seeds."""
    pieces = [
        Order(
            first=first,
            count=min(_BATCH, order.first + order.count - first),
            families=order.families,
            operations=order.operations,
            bug=order.bug,
        )
        for first in range(order.first, order.first + order.count, _BATCH)
    ]
    if jobs == 1 or len(pieces) == 1:
        for piece in pieces:
            yield from run_seeds(piece)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for done in pool.imap(run_seeds, pieces):
            yield from done


@dataclass(slots=True)
class Totals:
    """The sum of many runs."""

    schedules: int = 0
    operations: int = 0
    leg_ios: int = 0
    messages: int = 0
    faults: int = 0
    events: int = 0
    virtual_ns: int = 0
    began_s: float = 0.0

    @classmethod
    def begin(cls) -> "Totals":
        """Start counting, and the clock."""
        return cls(began_s=time.monotonic())

    def add(self, outcome: Outcome) -> None:
        """Count one run."""
        self.schedules += 1
        self.operations += outcome.operations
        self.leg_ios += outcome.leg_ios
        self.messages += outcome.messages
        self.faults += outcome.faults
        self.events += outcome.events
        self.virtual_ns += outcome.virtual_ns

    def lines(self) -> Iterable[str]:
        """Return what to print at the end."""
        took_s = max(time.monotonic() - self.began_s, 1e-9)
        yield (
            f"{self.schedules} schedules in {took_s:.1f} s: {self.operations} operations, "
            f"{self.leg_ios} leg I/Os, {self.messages} messages, {self.faults} faults, "
            f"{self.virtual_ns / 1e9:.0f} s of virtual time"
        )
        yield (
            f"per second: {self.schedules / took_s:.0f} schedules, "
            f"{self.operations / took_s:.0f} simulated operations, "
            f"{self.faults / took_s:.0f} faults, {self.events / took_s:.0f} events; "
            f"time runs {self.virtual_ns / 1e9 / took_s:.0f} times as fast as it does"
        )
