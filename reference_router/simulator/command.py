"""`python -m reference_router simulate`: runs seeds, and tells the story of one that fails."""

import argparse
import os
import sys
from pathlib import Path

from reference_router.simulator.bugs import BUGS, COMPILED
from reference_router.simulator.campaign import Order, Outcome, Totals, outcomes, run_plan
from reference_router.simulator.draw import FAMILIES, draw
from reference_router.simulator.plan import Plan, PlanError, load, save
from reference_router.simulator.shrink import shrink
from reference_router.simulator.story import outline, tell

_EXIT_VIOLATION = 1
_EXIT_USAGE = 2


def simulate(argv: list[str]) -> int:
    """Run the command; return 0 if no invariant was broken, 1 if one was, 2 for wrong use."""
    arguments = _parser().parse_args(argv)
    if arguments.bug and COMPILED:
        sys.stderr.write("reference_router: simulate: --bug needs pure Python: make clean\n")
        return _EXIT_USAGE
    families = tuple(name for name in arguments.faults.split(",") if name)
    try:
        replayed = load(arguments.schedule) if arguments.schedule is not None else None
        plan = replayed or draw(arguments.seed, families, operations=arguments.operations)
    except (OSError, PlanError, ValueError) as error:
        sys.stderr.write(f"reference_router: simulate: {error}\n")
        return _EXIT_USAGE
    if replayed is not None or arguments.count == 1:
        return _one(plan, arguments)
    return _many(families, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="reference_router simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument(
        "--faults",
        default=",".join(FAMILIES),
        help="kinds of faults, with commas between them; %(default)s",
    )
    parser.add_argument("--operations", type=int, default=40, help="of the hosts, per schedule")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--bug", default="", choices=["", *BUGS], help="plant a bug in the core")
    parser.add_argument("--schedule", type=Path, help="replay a schedule from this file")
    parser.add_argument("--save", type=Path, help="write the schedule that failed to this file")
    parser.add_argument("--whole", action="store_true", help="do not shrink what fails")
    parser.add_argument("--story", action="store_true", help="tell the story, also of a good seed")
    parser.add_argument("--keep-going", action="store_true", help="go on after a violation")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _one(plan: Plan, arguments: argparse.Namespace) -> int:
    outcome, world = run_plan(plan, bug=arguments.bug, keep_trace=True)
    _say(f"seed {plan.seed}: digest {outcome.digest}, {outcome.events} events")
    if outcome.invariant:
        _explain(plan, outcome, arguments)
        return _EXIT_VIOLATION
    if arguments.story:
        for line in (*outline(plan), *tell(world.trace)):
            _say(line)
    return 0


def _many(families: tuple[str, ...], arguments: argparse.Namespace) -> int:
    order = Order(
        first=arguments.seed,
        count=arguments.count,
        families=families,
        operations=arguments.operations,
        bug=arguments.bug,
    )
    totals, failed = Totals.begin(), []
    for outcome in outcomes(order, jobs=arguments.jobs):
        totals.add(outcome)
        if outcome.invariant:
            failed.append(outcome)
            _say(f"seed {outcome.seed}: {outcome.invariant}: {outcome.text}")
            if not arguments.keep_going:
                break
    for line in totals.lines():
        _say(line)
    if arguments.bug:
        _say(f"bug {arguments.bug}: {_found(failed, totals)}")
    if not failed:
        _say("no invariant was broken")
        return 0
    _say(f"{len(failed)} seeds broke an invariant; the first is told:")
    first = failed[0]
    plan = draw(first.seed, families, operations=arguments.operations)
    _explain(plan, first, arguments)
    return _EXIT_VIOLATION


def _found(failed: list[Outcome], totals: Totals) -> str:
    if not failed:
        return f"not found in {totals.schedules} seeds"
    nth = failed[0].seed - (failed[-1].seed - totals.schedules + 1) + 1
    return f"found after {nth} seeds, as {failed[0].invariant}"


def _explain(plan: Plan, outcome: Outcome, arguments: argparse.Namespace) -> None:
    """Shrink a plan that fails and tell its story."""

    def fails(candidate: Plan) -> bool:
        return run_plan(candidate, bug=arguments.bug)[0].invariant == outcome.invariant

    least = plan if arguments.whole else shrink(plan, fails)
    again, world = run_plan(least, bug=arguments.bug, keep_trace=True)
    if arguments.save is not None:
        save(least, arguments.save)
    _say(f"broken: {again.invariant}: {again.text}")
    for line in (*outline(least), *tell(world.trace)):
        _say(line)
