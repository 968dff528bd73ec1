"""P7: the logical unit is taken away for good, as far as anybody can tell."""

from certify.lab import Lab
from certify.load import load_unit
from certify.scenarios.base import Break, NotApplicableError, Scenario, argv_of, host_reach
from fault_injectors import UnitUnmap
from reports.record import OutagePlan

ANSWER_MS = 1000.0
RETURN_MS = 15_000.0


def build(lab: Lab) -> Break:
    """Unmap the load's logical unit at the target."""
    name = load_unit(lab)
    unit = next(one for one in lab.logical_unit if one.name == name)
    if unit.unmap is None or unit.map is None or unit.is_unmapped is None:
        raise NotApplicableError(f"logical unit {name} has no commands unmap, map, is_unmapped")
    fault = UnitUnmap(
        subject=name,
        apply_argv=argv_of(unit.unmap),
        probe_argv=argv_of(unit.is_unmapped),
        heal_argv=argv_of(unit.map),
        timeout_s=max(unit.unmap.timeout_s, unit.map.timeout_s),
    )
    return Break.of(fault, host_reach(lab, unit.host))


SCENARIO = Scenario(
    id="P7",
    title="Logical unit unmapped and mapped again",
    kind=UnitUnmap.kind,
    description=(
        "The logical unit is taken away from its hosts at the target, and mapped again later. "
        "Every path has to say so at once (LOGICAL UNIT NOT SUPPORTED, or no device at all) "
        "rather than let commands hang; whether the application waits is the host's policy."
    ),
    expected="Every path answers at once that the unit is gone; it returns with all its data.",
    requirement="HA-007",
    reference="VMware: permanent device loss (PDL), sense 05h/25h/00h",
    need="commands unmap, map and is_unmapped of the logical unit",
    build=build,
    outage=OutagePlan(
        why="the unit is not there", return_ms=RETURN_MS, errors=True, answer_ms=ANSWER_MS
    ),
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    fault_s=5.0,
    recover_s=5.0,
)
