"""A node that is an array: LIO over the blocks of its disk, reached by iSCSI on both fabrics.

Keys of persistent reservations outlive its power as they do in an array: what LIO wrote for that
(APTPL) is given back to it before anybody can log in.
"""

import subprocess
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.cluster.plan import ARRAYS, ENGINES, INSPECTOR, Fabric, Plan
from certify.virtual_lab.guest import arrays, lio
from certify.virtual_lab.guest.cluster import network
from certify.virtual_lab.guest.initiators import AUTHORITY
from certify.virtual_lab.guest.settings import Membership, Settings
from certify.virtual_lab.guest.steps import Report, load_modules, mount_configfs, step

MODULES = ("target_core_mod", "target_core_iblock", "iscsi_target_mod", "dm_mod", "dm_delay")
BLOCKS = "/dev/ubda"
APTPL = Path("/var/target/pr")
_REGISTRATION = ("PR_REG_START", "PR_REG_END")
"""The lines around one in LIO's file (core_scsi3_update_aptpl_buf, target_core_pr.c)."""


def target_name(array: str) -> str:
    """Return the iSCSI name of an array, by its name in the router's file."""
    return f"{AUTHORITY}:{ARRAYS[array]}"


def bring_up(chosen: Settings, member: Membership, report: Report) -> None:
    """Bring the array up; it serves when this returns."""
    del chosen
    node = Plan(member.hosts).node(member.node)
    array = next(name for name, node_name in ARRAYS.items() if node_name == node.name)
    with step("kernel modules", report):
        load_modules(MODULES)
        mount_configfs()
        (network.DISK / "pr").mkdir(exist_ok=True)
        _run("mount", "--bind", str(network.DISK / "pr"), str(APTPL))
    with step("logical units and target", report):
        backstores = _create_backstores(array)
        group = _create_group(array)
        for unit, backstore in zip(layout.LOGICAL_UNITS, backstores, strict=True):
            _restore_registrations(backstore)
            lun = group / "lun" / f"lun_{unit.lun}"
            lun.mkdir()
            (lun / "port").symlink_to(backstore)
        for initiator in (*ENGINES, INSPECTOR):
            _admit(group, initiator)
        for fabric in (Fabric.A, Fabric.B):
            (group / "np" / node.portal(fabric)).mkdir()
        (group / "enable").write_text("1")


def _create_backstores(array: str) -> list[Path]:
    found = []
    first = 0
    for unit in layout.LOGICAL_UNITS:
        dm = layout.slow_device(array, unit.name)
        sectors = unit.size_bytes // arrays.SECTOR_BYTES
        found.append(
            lio.create_backstore(
                f"iblock_{unit.lun + 1}",
                dm,
                f"udev_path={arrays.create_linear(dm, BLOCKS, first, sectors)}",
                serial=arrays.unit_serial(array, unit.lun),
                product=f"ARRAY-{array}",
            )
        )
        first += sectors
    return found


def _create_group(array: str) -> Path:
    """Make the target with its only target port group; only initiators it knows may log in."""
    group = lio.TARGET / "iscsi" / target_name(array) / "tpgt_1"
    group.mkdir(parents=True)
    for name in ("authentication", "generate_node_acls", "demo_mode_discovery"):
        (group / "attrib" / name).write_text("0")
    return group


def _admit(group: Path, initiator: str) -> None:
    acl = group / "acls" / f"{AUTHORITY}:{initiator}"
    acl.mkdir()
    for unit in layout.LOGICAL_UNITS:
        mapped = acl / f"lun_{unit.lun}"
        mapped.mkdir()
        (mapped / "unit").symlink_to(group / "lun" / f"lun_{unit.lun}")


def _restore_registrations(backstore: Path) -> None:
    """Give LIO the registrations that it wrote down before the power was cut."""
    serial = (backstore / "wwn/vpd_unit_serial").read_text(encoding="ascii").split(": ")[1].strip()
    written = APTPL / f"aptpl_{serial}"
    text = written.read_text(encoding="ascii") if written.exists() else ""
    for words in registrations_of(text):
        (backstore / "pr/res_aptpl_metadata").write_text(words, encoding="ascii")


def registrations_of(text: str) -> list[str]:
    """Return the registrations in LIO's file, each in the form in which LIO takes it back."""
    found: list[str] = []
    lines: list[str] = []
    for line in text.replace("\0", "").splitlines():
        if line.startswith(_REGISTRATION[0]):
            lines = []
        elif line.startswith(_REGISTRATION[1]):
            found.append(",".join(lines))
        elif "=" in line:
            lines.append(line)
    return found


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
