"""A node that is a host: a session with each port of each engine, and multipath over them."""

from dataclasses import dataclass

from certify.virtual_lab import layout
from certify.virtual_lab.cluster.plan import ARRAYS, ENGINES, INSPECTOR, LEG_FABRIC, Fabric, Plan
from certify.virtual_lab.guest import arrays, host, initiators, lio, open_iscsi
from certify.virtual_lab.guest.cluster import lab_file, witness
from certify.virtual_lab.guest.cluster.array import target_name
from certify.virtual_lab.guest.settings import Membership, Settings
from certify.virtual_lab.guest.steps import (
    Report,
    load_modules,
    mount_configfs,
    start_udev,
    step,
)
from certify.virtual_lab.guest.targets import reference_router

MODULES = (
    *("target_core_mod", "tcm_loop", "iscsi_tcp", "scsi_mod", "sd_mod", "sg"),
    *("dm_mod", "dm_multipath", "dm_round_robin", "dm_service_time"),
)
PATHS = tuple((engine, fabric) for engine in ENGINES for fabric in (Fabric.A, Fabric.B))
ENGINE_TIMEOUT_S = 80.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the measuring host found. SCSI addresses are "H:C:T"."""

    paths: dict[tuple[str, Fabric], str]
    leg_wwids: dict[tuple[str, str], str]  # by array and logical unit
    control_wwid: str


def bring_up(chosen: Settings, member: Membership, report: Report) -> None:
    """Bring the host up: its maps have all their paths when this returns."""
    plan = Plan(member.hosts)
    with step("kernel modules", report):
        load_modules(MODULES)
        mount_configfs()
        start_udev()
    if member.node == plan.witness_host:
        with step("witness", report):
            witness.start(chosen, plan, member)
    with step("sessions with the engines", report):
        host.start_multipath(reference_router.multipath())
        open_iscsi.start(initiators.name(member.node), initiators.SETTINGS)
        paths = {(engine, fabric): _log_in(plan, engine, fabric) for engine, fabric in PATHS}
    with step("multipath maps", report):
        host.wait_for_maps(paths=len(PATHS))
    if member.node == plan.hosts[0]:
        with step("looks at the arrays, control disk, lab.toml", report):
            lab_file.write(chosen, plan, _look_around(plan, paths))


def _log_in(plan: Plan, engine: str, fabric: Fabric) -> str:
    portal = plan.node(engine).portal(fabric)
    open_iscsi.wait_for_portal(portal, ENGINE_TIMEOUT_S)
    number = open_iscsi.open_session(f"{initiators.TARGET_NAME}.{engine}", portal)
    open_iscsi.look_for_disks(number)
    return f"{number}:0:0"


def _look_around(plan: Plan, paths: dict[tuple[str, Fabric], str]) -> Found:
    """Log in at the arrays as the inspector, who has an initiator name of its own."""
    open_iscsi.use_settings(open_iscsi.SETTINGS)  # arrays know initiators by name only
    open_iscsi.make_interface(INSPECTOR, initiators.name(INSPECTOR))
    wwids = {}
    for array, node in ARRAYS.items():
        number = open_iscsi.open_session(
            target_name(array),
            plan.node(node).portal(LEG_FABRIC[array]),
            interface=INSPECTOR,
        )
        open_iscsi.look_for_disks(number)
        for unit in layout.LOGICAL_UNITS:
            hctl = f"{number}:0:0:{unit.lun}"
            lio.wait_for_disk(hctl)
            wwids[array, unit.name] = lio.wwid(hctl)
    control = arrays.create_control_disk()
    lio.wait_for_disk(control)
    return Found(paths=paths, leg_wwids=wwids, control_wwid=lio.wwid(control))
