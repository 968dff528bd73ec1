"""P6: the host loses every path at once for 10 s, and gets them back."""

from certify.lab import Lab
from certify.scenarios.base import Break, Scenario
from certify.scenarios.paths import load_paths, pull
from fault_injectors import PathPull
from reports.record import OutagePlan

GONE_S = 10.0
RETURN_MS = 5000.0


def build(lab: Lab) -> Break:
    """Pull every path of the load's host."""
    return Break(steps=tuple(pull(lab, path) for path in load_paths(lab, at_least=1)))


SCENARIO = Scenario(
    id="P6",
    title="All paths gone and returned",
    kind=PathPull.kind,
    description=(
        f"Every path of the host is taken away for {GONE_S:g} s and given back. Nothing can serve "
        "in that time; the host has to hold its I/O rather than fail it, and send it when a path "
        "is back."
    ),
    expected="I/O waits, without an error, and goes on by itself when the paths are back.",
    requirement="HA-006",
    reference="VMware: all paths down (APD), transient",
    need="a host that holds I/O without a path (no_path_retry)",
    build=build,
    outage=OutagePlan(why="the host has no path", return_ms=RETURN_MS),
    limit_failover_ms=250.0,
    limit_failback_ms=1000.0,
    fault_s=GONE_S,
    recover_s=5.0,
)
