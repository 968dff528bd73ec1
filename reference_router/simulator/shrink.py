"""Makes a failing plan small: leaves out faults and operations as long as it fails alike.

The method is delta debugging (Zeller, Hildebrandt 2002): halves first, then smaller pieces.
Latencies still come from the seed, so what is left keeps most of its timing.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from reference_router.simulator.plan import Plan

Item = TypeVar("Item")
_RUNS_MAX = 600


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Return a plan that is part of `plan` and for which `fails` still holds."""
    budget = [_RUNS_MAX]

    def still(candidate: Plan) -> bool:
        budget[0] -= 1
        return budget[0] >= 0 and fails(candidate)

    while True:
        before = (len(plan.faults), len(plan.operations))
        plan = _without_faults(plan, still)
        plan = _without_operations(plan, still)
        plan = _simpler_faults(plan, still)
        if (len(plan.faults), len(plan.operations)) == before or budget[0] <= 0:
            return plan


def _without_faults(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    def with_faults(faults: Sequence[object]) -> Plan:
        return msgspec.structs.replace(plan, faults=tuple(faults))

    return with_faults(_least(plan.faults, lambda kept: fails(with_faults(kept))))


def _without_operations(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    def with_operations(operations: Sequence[object]) -> Plan:
        return msgspec.structs.replace(plan, operations=tuple(operations))

    return with_operations(_least(plan.operations, lambda kept: fails(with_operations(kept))))


def _simpler_faults(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Let engines fall between two batches rather than in the middle of one, where that will do."""
    for index, fault in enumerate(plan.faults):
        if fault.after:
            simple = msgspec.structs.replace(fault, after=0)
            faults = (*plan.faults[:index], simple, *plan.faults[index + 1 :])
            candidate = msgspec.structs.replace(plan, faults=faults)
            if fails(candidate):
                plan = candidate
    return plan


def _least(items: Sequence[Item], fails: Callable[[Sequence[Item]], bool]) -> Sequence[Item]:
    """Return a part of `items` that fails, and of which no smaller piece can be left out."""
    pieces = 2
    while items:
        size = -(-len(items) // pieces)
        for start in range(0, len(items), size):
            kept = (*items[:start], *items[start + size :])
            if fails(kept):
                items, pieces = kept, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(items))
    return items
