"""R4: array A fails, later array B, and A returns alone."""

from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario
from fault_injectors import ArrayOffline
from reports.record import OutagePlan

LOSS_S = 2.0
RETURN_S = 4.0
OUTAGE = OutagePlan(
    why="The only array that has every acknowledged write is out of reach.",
    return_ms=10_000.0,
    from_step=2,
)


def build(lab: Lab) -> Break:
    """Take array A away, then array B, and bring A back first."""
    steps = (offline(lab, 0, mend_at_s=RETURN_S), offline(lab, 1, at_s=LOSS_S))
    return Break(steps=steps)


SCENARIO = Scenario(
    id="R4",
    title="Arrays return in the wrong order",
    kind=ArrayOffline.kind,
    description=(
        "The first array fails and the host goes on writing to the second; then the second "
        "fails too, and the first one returns alone. It lacks what was written since. Whoever "
        "serves it takes acknowledged writes back without a word: the unit has to wait for the "
        "second array."
    ),
    expected="The old array is refused; when the other returns, every acknowledged write is there.",
    requirement="HA-043",
    reference="Wrong-order recovery; DRBD: quorate data divergence",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.back or hctl of both arrays",
    outage=OUTAGE,
)
