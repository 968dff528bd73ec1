"""What an engine says of itself, for people and machines: plain values. Pure."""

from collections.abc import Sequence
from typing import Any

from reference_router.back import Back
from reference_router.cluster import Cluster
from reference_router.front import Front
from reference_router.messages import LegState
from reference_router.ports import Ports
from reference_router.unit import Phase, Unit

DETACHED, BLANK = "detached", "blank"
"""Words for stale legs beside those of `LegState`: taken out by an operator; without our keys."""


def status_of(
    cluster: Cluster, ports: Ports, back: Back, *, fronts: Sequence[Front]
) -> dict[str, Any]:
    """Return the status of an engine. `fronts` are empty until it has its rings."""
    units = {name: _unit(unit, ports) for name, unit in cluster.units.items()}
    return {
        "role": _role(cluster),
        "peer_joined": all(unit.shared for unit in cluster.units.values()),
        "waits_for_operator": any(
            unit.phase is Phase.STARTING and unit.starting.assessment.operator
            for unit in cluster.units.values()
        ),
        "serving": bool(fronts) and all(each["serves"] for each in units.values()),
        "commands": sum(front.commands for front in fronts),
        "command_errors": sum(front.errors for front in fronts),
        "units": units,
        "witness": _witness(cluster),
        "refused": [each.device.refusal for each in back.probes if each.device.refusal],
    }


def _witness(cluster: Cluster) -> dict[str, Any] | None:
    """Return None where the router has none."""
    if not cluster.witness.used:
        return None
    votes = [name for name, unit in cluster.units.items() if unit.vote.held]
    return {"in_reach": cluster.witness.linked, "votes": votes}


def _role(cluster: Cluster) -> str:
    units = cluster.units.values()
    if any(unit.phase is not Phase.SERVING for unit in units):
        return "waiting"
    return "leader" if all(unit.leads for unit in units) else "follower"


def _unit(unit: Unit, ports: Ports) -> dict[str, Any]:
    mirror = unit.mirror
    resyncing = LegState.RESYNCING in mirror.states
    left = sum(
        len(each)
        for each, state in zip(mirror.dirty, mirror.states, strict=True)
        if state is LegState.RESYNCING
    )
    return {
        "phase": unit.phase,
        "why": unit.starting.assessment.why if unit.phase is Phase.STARTING else "",
        "epoch": unit.state.epoch,
        "members": list(unit.state.members),
        "legs": {leg: _leg_word(unit, index) for index, leg in enumerate(mirror.legs)},
        "serves": ports.servers[unit.name].not_ready is None,
        "leases": len(mirror.leases.mine),
        "leases_of_peer": len(mirror.leases.theirs),
        "repairs_left": len(mirror.repairs),
        "dirty_regions": {
            leg: len(each) for leg, each in zip(mirror.legs, mirror.dirty, strict=True)
        },
        "resync_left_regions": left if resyncing else None,
        "resynced_regions": mirror.regions - left if resyncing else None,
        "regions": mirror.regions,
        "region_bytes": mirror.region_blocks * 512,
        "read_repairs": unit.copier.read_repairs,
    }


def _leg_word(unit: Unit, leg: int) -> str:
    shown = unit.shown(leg)
    if shown in (LegState.STALE, LegState.ABSENT) and leg in unit.state.detached:
        return DETACHED
    if shown is LegState.STALE and leg in unit.admission.blank:
        return BLANK
    return shown
