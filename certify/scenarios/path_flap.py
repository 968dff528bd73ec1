"""P4: a path goes and comes ten times."""

import random
from dataclasses import replace
from itertools import accumulate

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, Step
from certify.scenarios.paths import load_paths, pull
from fault_injectors import PathPull

FLAPS = 10
DOWN_S = (1.0, 2.0)
UP_S = (1.0, 3.0)
"""From below to above the interval at which multipathd looks at a path again (1 s or more)."""


def build(lab: Lab) -> Break:
    """Let the first path of the load's host flap; the last flap is mended in the mend phase."""
    step = pull(lab, load_paths(lab)[0])
    return _flapping([step] * FLAPS, [DOWN_S[0]] * FLAPS, [UP_S[0]] * FLAPS)


def vary(broken: Break, rng: random.Random) -> Break:
    """Draw how long each flap lasts, and each rest after it."""
    return _flapping(
        list(broken.steps),
        [rng.uniform(*DOWN_S) for _ in broken.steps],
        [rng.uniform(*UP_S) for _ in broken.steps],
    )


def _flapping(steps: list[Step], down_s: list[float], up_s: list[float]) -> Break:
    begins = [0.0, *accumulate(a + b for a, b in zip(down_s, up_s, strict=True))]
    last = len(steps) - 1
    return Break(
        steps=tuple(
            replace(
                step,
                at_s=round(begins[number], 3),
                mend_at_s=None if number == last else round(begins[number] + down_s[number], 3),
            )
            for number, step in enumerate(steps)
        )
    )


SCENARIO = Scenario(
    id="P4",
    title="Path flapping",
    kind=PathPull.kind,
    description=(
        f"One path is pulled and returned {FLAPS} times, for 1 to 2 s each, with 1 to 3 s of rest, "
        "as by a bad transceiver. The seed of the run sets the times."
    ),
    expected="I/O goes on over the other path, whatever this one does; no ping-pong afterwards.",
    requirement="HA-004",
    reference="Marginal paths in multipath-tools; a flapping port in vendors' matrices",
    need="2 paths from one host",
    build=build,
    vary=vary,
    asks=("steady_paths",),
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
)
