"""S1: a host holds a reservation by the engine that dies; another host preempts it."""

from certify.exercises.reservation import RESERVATION_HELD
from certify.lab import Lab
from certify.scenarios.base import Break, Scenario, engine_at
from certify.scenarios.engines import process_of
from fault_injectors import EngineKill


def build(lab: Lab) -> Break:
    """Kill the first engine of the lab file."""
    engine = engine_at(lab, 0)
    return Break.of(EngineKill(**process_of(engine)), engine.reach)


SCENARIO = Scenario(
    id="S1",
    title="Reservation over an engine loss",
    kind=EngineKill.kind,
    description=(
        "Host 1 reserves a unit by the first engine, which is killed. The reservation belongs "
        "to the unit and not to the engine: the other engine has to know it, to enforce it, and "
        "to let host 2 preempt it, as a cluster does when it takes over from a host. When the "
        "engine returns it must know what happened meanwhile."
    ),
    expected=(
        "The reservation is known, enforced and preempted by the other engine, and by both at "
        "the end."
    ),
    requirement="HA-050",
    reference="SPC-4 5.13: reservations are of the logical unit; HLK: Persistent Reservation tests",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need=(
        "two hosts on this machine that see a unit with purpose = conformance; engine.pid, "
        "start, ready"
    ),
    exercises=(RESERVATION_HELD,),
)
