"""What scenarios of arrays need from the lab file, and the reasons why one lacks it."""

from certify.lab import Array, Lab, Leg
from certify.scenarios.base import NotApplicableError, array_at
from fault_injectors import ArrayOffline


def offline(lab: Lab, index: int) -> ArrayOffline:
    """Return the fault that takes an array away from all engines."""
    array = array_at(lab, index)
    if not array.hctl:
        raise NotApplicableError(f"array {array.name} has no hctl: its paths cannot be cut")
    return ArrayOffline(subject=array.name, hctl=tuple(array.hctl))


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
