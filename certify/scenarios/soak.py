"""T1: faults at random for hours, one at a time, each healed before the next.

The hours are cut into segments, each a repeat of its own with a schedule of its own: so evidence
and judge stay bounded, and what went wrong is found by its segment.
"""

import random
from dataclasses import replace

from certify.lab import Lab
from certify.scenarios import (
    array_offline,
    array_slow,
    engine_hang,
    engine_isolated,
    engine_kill,
    engine_leave,
    ghost_write,
    link_cut,
    path_pull,
)
from certify.scenarios.base import Break, NotApplicableError, Scenario, Step

SEGMENT_S = 300.0
"""Of faults in a segment; reading everything back and judging come on top."""
AROUND_S = 60.0
"""Of a segment beside its faults: preflight, last resync, reading everything back, judging."""
SEGMENT_LEAST_S = 20.0
OUT_S = (2.0, 8.0)
REST_S = (1.0, 5.0)
SHORTEST_S = 8.0
"""No cycle of fault, mend, resync and rest was seen to be shorter; bounds the schedule's length."""
POOL = (
    path_pull,
    engine_isolated,
    engine_kill,
    engine_hang,
    ghost_write,
    engine_leave,
    link_cut,
    array_offline,
    array_slow,
)


def build(lab: Lab) -> Break:
    """Return every single fault that the lab can express, one step each."""
    steps: list[Step] = []
    for module in POOL:
        try:
            steps += module.build(lab).steps
        except NotApplicableError:
            continue  # the lab lacks something for this one; the others are drawn
    if not steps:
        raise NotApplicableError("the lab file has commands for no single fault at all")
    return Break(steps=tuple(steps), budget_s=SEGMENT_S)


def vary(broken: Break, rng: random.Random) -> Break:
    """Draw faults, how long each lasts and how long the rest after it, for one segment."""
    at_s = 0.0
    drawn: list[Step] = []
    for _ in range(int(SEGMENT_S / SHORTEST_S)):
        out_s, rest_s = rng.uniform(*OUT_S), rng.uniform(*REST_S)
        drawn.append(
            replace(
                rng.choice(broken.steps),
                at_s=round(at_s, 3),
                mend_at_s=round(at_s + out_s, 3),
                whole_first=bool(drawn),
            )
        )
        at_s += out_s + rest_s
    return replace(broken, steps=tuple(drawn))


def segments(hours: float) -> tuple[int, float]:
    """Return how many segments fill *hours*, and how long faults begin in each, in seconds."""
    seconds = hours * 3600.0
    count = max(1, round(seconds / (SEGMENT_S + AROUND_S)))
    return count, max(SEGMENT_LEAST_S, min(SEGMENT_S, seconds / count - AROUND_S))


SCENARIO = Scenario(
    id="T1",
    title="Soak: one fault after another, at random",
    kind="path_pull",
    description=(
        "Paths, engines, arrays and the link are broken at random for hours, one at a time, each "
        "proven, mended and seen whole before the next. The seed of the run sets the order and "
        "the times. Every sector is judged over all of it."
    ),
    expected="No I/O error, no wrong data, no stall above the limit, whole after every fault.",
    requirement="HA-090",
    reference="Ceph's thrashosds, DRBD's random tests",
    need="commands for at least one fault",
    build=build,
    vary=vary,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
)
