"""What an engine says of itself, for people and machines: plain values. Pure."""

from typing import Any

from reference_router.back import Back
from reference_router.cluster import Cluster
from reference_router.messages import LegState
from reference_router.ports import Ports
from reference_router.unit import Phase, Unit


def status_of(cluster: Cluster, ports: Ports, back: Back, *, serving: bool) -> dict[str, Any]:
    """Return the status of an engine. `serving`: it has its rings."""
    units = {name: _unit(unit, ports) for name, unit in cluster.units.items()}
    return {
        "role": _role(cluster),
        "peer_joined": all(unit.shared for unit in cluster.units.values()),
        "waits_for_operator": any(
            unit.phase is Phase.STARTING and unit.starting.assessment.operator
            for unit in cluster.units.values()
        ),
        "serving": serving and all(each["serves"] for each in units.values()),
        "units": units,
        "refused": [each.device.refusal for each in back.probes if each.device.refusal],
    }


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
        "legs": {leg: unit.shown(index) for index, leg in enumerate(mirror.legs)},
        "serves": ports.servers[unit.name].not_ready is None,
        "leases": len(mirror.leases.mine),
        "leases_of_peer": len(mirror.leases.theirs),
        "repairs_left": len(mirror.repairs),
        "resync_left_regions": left if resyncing else None,
        "resynced_regions": mirror.regions - left if resyncing else None,
        "regions": mirror.regions,
        "region_bytes": mirror.region_blocks * 512,
        "read_repairs": unit.copier.read_repairs,
    }
