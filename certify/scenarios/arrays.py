"""What scenarios of arrays need from the lab file, and the reasons why one lacks it."""

from certify.lab import Array, Lab, Leg
from certify.scenarios.base import NotApplicableError, Step, array_at, fields_of
from fault_injectors import ArrayCut, ArrayOffline


def offline(lab: Lab, index: int, *, at_s: float = 0.0, mend_at_s: float | None = None) -> Step:
    """Return the step that takes an array away from all engines, and when it is mended."""
    array = array_at(lab, index)
    back = array.back
    if back is not None and back.cut and back.mend and back.is_cut:
        commands = fields_of(back.cut, back.is_cut, back.mend, back.is_whole)
        cut = ArrayCut(subject=array.name, **commands)
        return Step(fault=cut, reach=back.reach, at_s=at_s, mend_at_s=mend_at_s)
    if not array.hctl:
        raise NotApplicableError(
            f"array {array.name} has no hctl and no commands in back: its paths cannot be cut"
        )
    gone = ArrayOffline(subject=array.name, hctl=tuple(array.hctl))
    return Step(fault=gone, reach=array.reach, at_s=at_s, mend_at_s=mend_at_s)


def devices_of(array: Array) -> tuple[str, ...]:
    """Return the device-mapper names beneath all legs of an array."""
    devices = tuple(leg.slow_device for leg in array.leg if leg.slow_device)
    if not devices:
        raise NotApplicableError(
            f"array {array.name} has no slow_device: nothing can be done beneath it"
        )
    return devices


def leg_for(lab: Lab, array: Array, purpose: str) -> Leg:
    """Return the leg of the first logical unit for *purpose* that something can be done beneath."""
    units = [unit.name for unit in lab.logical_unit if unit.purpose == purpose]
    for leg in array.leg:
        if leg.logical_unit in units and leg.slow_device:
            return leg
    raise NotApplicableError(
        f'array {array.name} has no leg with a slow_device of a unit with purpose = "{purpose}"'
    )


def back_path(array: Array) -> tuple[str, ...]:
    """Return the globs of one of several ways to an array: those of its first initiator port.

    Ports are told apart by host:channel:target; with one port only there is no other way.
    """
    ports: dict[str, list[str]] = {}
    for pattern in array.hctl:
        ports.setdefault(pattern.rpartition(":")[0], []).append(pattern)
    if len(ports) < 2:
        raise NotApplicableError(
            f"array {array.name} has {len(ports)} back paths in hctl; two are needed"
        )
    return tuple(next(iter(ports.values())))
