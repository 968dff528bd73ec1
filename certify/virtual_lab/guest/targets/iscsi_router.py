"""The reference router with its hosts in the network: iSCSI over the guest's loopback device."""

from dataclasses import replace
from pathlib import Path

from certify.lab import Command, Means
from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden, initiators, router
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets import reference_router
from certify.virtual_lab.guest.targets.base import Builder, Built, fixed_unit_of, paths_at

MODULES = (
    *("iscsi_target_mod", "iscsi_tcp"),
    *("sch_ingress", "sch_prio", "sch_netem", "cls_flower", "act_gact"),  # wire.sh
)
WIRE_SCRIPT = Path(__file__).parents[1] / "wire.sh"


def builder() -> Builder:
    """Return how it is built."""
    return Builder(multipath=reference_router.multipath(), bring_up=_bring_up, modules=MODULES)


def _bring_up(chosen: Settings, disks: list[ArrayDisks]) -> Built:
    hidden.forget()
    router.write_config("tombstone", router.Wiring(portals=_portals))
    router.start(chosen)
    initiators.start()
    paths = paths_at(lambda engine, host: initiators.log_in(host, engine))
    units = tuple(fixed_unit_of(unit, f"3{unit.naa}") for unit in layout.LOGICAL_UNITS)
    told = reference_router.told(chosen, disks, units=units, paths=paths)
    return replace(
        told, means=(_wire("P2", "silence", "is_silent"), _wire("P5", "spoil", "is_spoilt"))
    )


def _portals(engine: str) -> list[str]:
    return [initiators.portal(engine, host) for host in layout.HOSTS]


def _wire(scenario: str, apply: str, probe: str) -> Means:
    """Return how the wire of the first host's path to the first engine is broken."""
    address = initiators.address(layout.ENGINES[0], layout.HOST)

    def command(verb: str) -> Command:
        return Command(argv=["sh", str(WIRE_SCRIPT), verb, address])

    return Means(
        scenario=scenario,
        subject=f"{layout.HOST}-{layout.ENGINES[0]}",
        apply=command(apply),
        probe=command(probe),
        heal=command("mend"),
    )
