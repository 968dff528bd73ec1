"""A7b: array A answers BUSY or TASK SET FULL to everything for a while."""

from certify.lab import Lab
from certify.scenarios.base import Break, NotApplicableError, Scenario, array_at
from fault_injectors import ArrayBusy


def build(lab: Lab) -> Break:
    """Have the first array of the lab file say that it is busy."""
    array = array_at(lab, 0)
    if array.busy is None or array.calm is None or array.is_busy is None:
        raise NotApplicableError(
            f"array {array.name} has no command busy: a Linux target cannot be told to answer BUSY "
            "or TASK SET FULL; an array that can needs the commands busy, calm and is_busy"
        )
    fault = ArrayBusy(
        subject=array.name,
        apply_argv=tuple(array.busy.argv),
        probe_argv=tuple(array.is_busy.argv),
        heal_argv=tuple(array.calm.argv),
        timeout_s=array.busy.timeout_s,
    )
    return Break.of(fault, array.reach)


SCENARIO = Scenario(
    id="A7b",
    title="Array A busy and recovered",
    kind=ArrayBusy.kind,
    description=(
        "The first array answers every command with BUSY or TASK SET FULL for some seconds."
    ),
    expected=(
        "The storm is absorbed: no error reaches the host; the array is used again afterwards."
    ),
    requirement="HA-031",
    reference="blktests scsi/004; SAM-5 5.3.1: what is BUSY or TASK SET FULL is to be tried again",
    build=build,
    limit_failover_ms=1000.0,
    limit_failback_ms=1000.0,
    need="array.busy, calm and is_busy",
)
