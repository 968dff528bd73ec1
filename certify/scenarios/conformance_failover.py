"""S6: the standards hold while an engine is lost: right answers, or the right errors."""

from certify.exercises.conformance import CONFORMANCE_IN_FAULT
from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill


def build(lab: Lab) -> Break:
    """Kill the first engine of the lab file."""
    engine = engine_at(lab, 0)
    return Break.of(EngineKill(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="S6",
    title="Conformance during an engine loss",
    kind=EngineKill.kind,
    description=(
        "While the first engine is killed and comes back, every I_T nexus of a unit is asked "
        "again and again: identity, capacity, what must be refused, and blocks that all nexuses "
        "write and read. A path in trouble may say so. It may never answer something else."
    ),
    expected="Every answer right, or an error of a path in trouble; no other data, no other sense.",
    requirement="HA-055",
    reference="SPC-4 5.15.2.4, annex F: what a port that cannot serve says; SAM-5 4.6.4",
    build=build,
    limit_failover_ms=250.0,
    limit_failback_ms=250.0,
    need="a unit with purpose = conformance; engine.pid, start, ready",
    exercises=(CONFORMANCE_IN_FAULT,),
)
