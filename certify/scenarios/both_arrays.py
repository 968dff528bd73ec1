"""D3a: both arrays go away, one after the other; nothing can serve until the last is back."""

from certify.lab import Lab
from certify.scenarios.arrays import offline
from certify.scenarios.base import Break, Scenario
from fault_injectors import ArrayOffline
from reports.record import OutagePlan

AFTER_S = 4.0
RETURN_MS = 30_000.0


def build(lab: Lab) -> Break:
    """Take away the first array, and the second while it serves alone."""
    return Break(steps=tuple(offline(lab, at, at_s=at * AFTER_S) for at in (0, 1)))


SCENARIO = Scenario(
    id="D3a",
    title="Both arrays lost, one after the other",
    kind=ArrayOffline.kind,
    description=(
        f"The first array is taken away, and {AFTER_S:g} s later the second, which has writes that "
        "the first has not. An outage is what this has to be. Later both return, the stale one "
        "first: it must not be served from."
    ),
    expected="Until the second goes, no more than a failover; then I/O returns by itself, and "
    "every acknowledged write is there.",
    requirement="HA-063",
    reference="Double fault of the same kind: documented outage, no data loss, auto-return",
    need="back or hctl of 2 arrays",
    build=build,
    outage=OutagePlan(why="no array is left", return_ms=RETURN_MS, errors=True),
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    recover_s=5.0,
)
