"""A node that is an engine: sessions with both arrays, and the reference router behind LIO."""

import subprocess
import threading
from dataclasses import dataclass

from certify.virtual_lab import layout
from certify.virtual_lab.cluster.plan import ARRAYS, ENGINES, LEG_FABRIC, Fabric, Plan
from certify.virtual_lab.guest import lio, open_iscsi, router
from certify.virtual_lab.guest.cluster import network
from certify.virtual_lab.guest.cluster.array import target_name
from certify.virtual_lab.guest.initiators import AUTHORITY
from certify.virtual_lab.guest.settings import Membership, Settings
from certify.virtual_lab.guest.steps import Report, load_modules, mount_configfs, step

MODULES = (
    *("target_core_mod", "target_core_user", "uio", "iscsi_target_mod"),
    *("iscsi_tcp", "scsi_mod", "sd_mod", "sg"),
)
RUN_MIB = 16
LINK_PORT = 7400
WITNESS_PORT = 7410
LINK_KEY = "5a" * 16  # known to all, as all of the lab is
ARRAY_TIMEOUT_S = 60.0
ARRAY_AGAIN_TIMEOUT_S = 5.0
FOR_EVER_S = float(1 << 31)

LEASE_LIMIT = 16
REGION_BYTES = 512 << 10
"""Copies through all these kernels are done at some 20 MB/s, and what a lost engine held leases of
is repaired: with the router's defaults 64 MiB, with the host's I/O beside it for seconds."""


@dataclass(frozen=True, slots=True)
class _Legs:
    """An engine's way to the legs on one array."""

    plan: Plan
    engine: str
    array: str

    def reach(self, timeout_s: float) -> None:
        """Log in at the array and give its disks the names by which the router opens them."""
        portal = self.plan.node(ARRAYS[self.array]).portal(LEG_FABRIC[self.array])
        open_iscsi.wait_for_portal(portal, timeout_s)
        number = open_iscsi.open_session(target_name(self.array), portal)
        open_iscsi.look_for_disks(number)
        for unit in layout.LOGICAL_UNITS:
            disk = lio.wait_for_disk(f"{number}:0:0:{unit.lun}")
            link = layout.leg_device(self.engine, self.array, unit.name)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"/dev/{disk}")


def bring_up(chosen: Settings, member: Membership, report: Report) -> None:
    """Bring the engine up; it serves when this returns."""
    plan = Plan(member.hosts)
    # Of its own, so that it can be full while all else of the machine works.
    room = ("mount", "-t", "tmpfs", "-o", f"size={RUN_MIB}m,mode=755", "tmpfs", str(layout.RUN))
    subprocess.run(room, check=True, timeout=10)
    with step("kernel modules", report):
        load_modules(MODULES)
        mount_configfs()
    with step("sessions with the arrays", report):
        open_iscsi.start(f"{AUTHORITY}:{member.node}")
        for array in ARRAYS:
            _reach(_Legs(plan, member.node, array), again=member.again)
    with step("router", report):
        write_router_file(plan, member)
        router.start(chosen, (member.node,))


def write_router_file(plan: Plan, member: Membership) -> None:
    """Write router.toml, the same on every node that needs it; make the folder that it names."""
    router.write_config("tombstone", wiring(plan, again=member.again))
    (network.DISK / "router").mkdir(exist_ok=True)


def wiring(plan: Plan, *, again: bool) -> router.Wiring:
    """Return how the router is joined to the cluster."""

    def link(engine: str) -> str:
        return f"tcp:{plan.node(engine).address(Fabric.LINK)}:{LINK_PORT + ENGINES.index(engine)}"

    def portals(engine: str) -> list[str]:
        return [plan.node(engine).portal(fabric) for fabric in (Fabric.A, Fabric.B)]

    return router.Wiring(
        hosts=plan.hosts,
        link=link,
        link_key=LINK_KEY,
        portals=portals,
        witness=f"tcp:{plan.node(plan.witness_host).address(Fabric.MANAGEMENT)}:{WITNESS_PORT}",
        state=str(network.DISK / "router"),
        both_legs_are_new=not again,
        lease_limit=LEASE_LIMIT,
        region_bytes=REGION_BYTES,
    )


def _reach(legs: _Legs, *, again: bool) -> None:
    """Reach an array; one that is away when an engine returns is waited for beside the engine."""
    if not again:
        legs.reach(ARRAY_TIMEOUT_S)
        return
    try:
        legs.reach(ARRAY_AGAIN_TIMEOUT_S)
    except lio.LioError:
        threading.Thread(target=legs.reach, args=(FOR_EVER_S,), daemon=True).start()


def command(chosen: Settings, verb: str, engine: str, *words: str) -> list[str]:
    """Return the command line of a verb of the router's CLI, as SSH gives it to an engine."""
    return [*network.OURS, *router.argv(chosen, verb, engine, *words)]
