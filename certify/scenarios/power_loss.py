"""D5: everything loses its power under write load."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.means import by_means
from reports.record import OutagePlan


def build(lab: Lab) -> Break:
    """Use the lab's own means: one switch for engines and arrays."""
    return by_means(
        lab,
        "D5",
        lacking="Engines, arrays and the suite share one machine and its page cache, so no power "
        "can be cut that the suite survives; it takes engines and arrays on a switch of their own.",
    )


SCENARIO = Scenario(
    id="D5",
    title="Power of all engines and arrays lost",
    kind="command",
    description=(
        "Engines and arrays lose their power at the same moment, under write load. Every "
        "acknowledged write must be on both arrays afterwards, and a block that was in flight must "
        "read the same for ever after, through either engine and from either array."
    ),
    expected="I/O returns by itself; nothing acknowledged is lost, nothing flips.",
    requirement="HA-065",
    reference="Power-loss tests of file systems and databases; SBC-3 volatile caches",
    need="engines and arrays on a power switch of their own",
    build=build,
    outage=OutagePlan(why="all power is lost", return_ms=600_000.0, errors=True),
    limit_failover_ms=1000.0,
    limit_failback_ms=2000.0,
    recover_s=5.0,
)
