"""The timers and retry counts of a host that bound a stall, and the versions of its software."""

import importlib.metadata
import platform
import re
from collections.abc import Iterable
from pathlib import Path

from certify.devices import SYSFS, LabDevices
from certify.lab import LabError
from certify.multipath import Daemon, Map, read_defaults, read_maps
from certify.stall_bounds import bounds_of
from fault_injectors import FaultError, LocalShell, Shell
from reports.record import Setting

VERSION_TIMEOUT_S = 20.0
MULTIPATH_SETTINGS = (
    "polling_interval",
    "max_polling_interval",
    "path_checker",
    "checker_timeout",
    "path_grouping_policy",
    "path_selector",
    "prio",
    "failback",
    "no_path_retry",
    "rr_min_io_rq",
    "fast_io_fail_tmo",
    "dev_loss_tmo",
    "eh_deadline",
    "find_multipaths",
)
GLOBBED = (
    ("FC fast_io_fail_tmo", "class/fc_remote_ports/*/fast_io_fail_tmo"),
    ("FC dev_loss_tmo", "class/fc_remote_ports/*/dev_loss_tmo"),
    ("iSCSI recovery_tmo", "class/iscsi_session/*/recovery_tmo"),
    ("iSCSI NOP-Out interval", "class/iscsi_connection/*/ping_tmo"),
    ("iSCSI NOP-Out timeout", "class/iscsi_connection/*/recv_tmo"),
    ("TCMU cmd_time_out", "kernel/config/target/core/user_*/*/attrib/cmd_time_out"),
    ("TCMU qfull_time_out", "kernel/config/target/core/user_*/*/attrib/qfull_time_out"),
)
KERNEL_FILES = (
    # Data that an application wrote without O_DIRECT may wait so long before it reaches the SAN;
    # a process that an I/O keeps waiting is reported after hung_task_timeout_secs.
    ("kernel hung_task_timeout_secs", "sys/kernel/hung_task_timeout_secs"),
    ("kernel dirty_expire_centisecs", "sys/vm/dirty_expire_centisecs"),
    ("kernel dirty_writeback_centisecs", "sys/vm/dirty_writeback_centisecs"),
    ("kernel dirty_ratio", "sys/vm/dirty_ratio"),
)
PROC = Path("/proc")
MISSING = "not on this host"
NOT_SET = "not set"
PACKAGES = ("zerostall", "pytest", "pytest-xdist", "pyudev", "msgspec")
TOOLS = (
    ("multipath-tools", ("multipath", "-h"), r"multipath-tools v(\S+)"),
    ("sg3-utils", ("dpkg-query", "-W", "-f=${Version}", "sg3-utils"), r"(\S+)"),
    ("sg_inq", ("sg_inq", "--version"), r"Version string: (.+)"),
    ("dmsetup", ("dmsetup", "version"), r"Library version:\s+(\S+)"),
)


def settings_of(
    devices: LabDevices, daemon: Daemon, *, sysfs: Path = SYSFS, proc: Path = PROC
) -> list[Setting]:
    """Return the settings that bound a stall, and the bounds that they imply.

    What this host does not have is told as MISSING: a reader must see that it was looked for.
    """
    disks = [device.disk for device in devices.paths]
    scsi = sysfs / "class/scsi_device"
    files = {
        "SCSI command timer": [scsi / disk.hctl / "device/timeout" for disk in disks],
        "SCSI error handler timer": [scsi / disk.hctl / "device/eh_timeout" for disk in disks],
        "SCSI eh_deadline": [
            sysfs / f"class/scsi_host/host{disk.hctl.partition(':')[0]}/eh_deadline"
            for disk in disks
        ],
        "SCSI queue depth": [scsi / disk.hctl / "device/queue_depth" for disk in disks],
    }
    settings: list[Setting] = []
    for name, paths in files.items():
        settings += _grouped(name, paths) or [_missing(name, str(scsi))]
    for name, pattern in GLOBBED:
        found = _grouped(name, sorted(sysfs.glob(pattern)))
        settings += found or [_missing(name, str(sysfs / pattern))]
    for name, file in KERNEL_FILES:
        settings += _grouped(name, [proc / file]) or [_missing(name, str(proc / file))]
    settings += _multipath_settings(devices, daemon)
    return settings + bounds_of(settings)


def _missing(name: str, source: str) -> Setting:
    return Setting(name=name, value=MISSING, source=source)


def _grouped(name: str, paths: Iterable[Path]) -> list[Setting]:
    """Return one setting per value found in *paths*; equal values are told once."""
    sources: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        try:
            sources.setdefault(path.read_text().strip(), []).append(str(path))
        except OSError:
            continue
    return [
        Setting(name=name, value=value, source=_source(found)) for value, found in sources.items()
    ]


def _source(found: list[str]) -> str:
    return found[0] if len(found) == 1 else f"{found[0]} and {len(found) - 1} more"


def _multipath_settings(devices: LabDevices, daemon: Daemon) -> list[Setting]:
    try:
        defaults = read_defaults(daemon)
        maps = {one.wwid: one for one in read_maps(daemon)}
    except LabError:
        return [_missing("multipathd", "multipathd show config")]
    settings = [
        Setting(name=f"multipath {name}", value=defaults[name], source="multipathd show config")
        if name in defaults
        else Setting(
            name=f"multipath {name}", value=NOT_SET, source="multipathd show config, defaults"
        )
        for name in MULTIPATH_SETTINGS
    ]
    return settings + [
        _map_setting(device.unit.name, maps[device.unit.wwid])
        for device in devices.maps
        if device.unit.wwid in maps
    ]


def _map_setting(unit: str, one: Map) -> Setting:
    selectors = ", ".join(dict.fromkeys(group.selector for group in one.path_groups))
    value = (
        f"{len(one.path_groups)} path group(s), {selectors}; queueing {one.queueing}; "
        f"failback {one.failback}; features {one.features}; handler {one.hardware_handler}"
    )
    return Setting(name=f"multipath map of {unit}", value=value, source="multipathd show maps json")


def versions_of(shell: Shell | None = None) -> dict[str, str]:
    """Return the versions of what measures and of what the host's paths depend on."""
    versions = {
        "kernel": f"{platform.system()} {platform.release()} {platform.version()}",
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    for name, argv, pattern in TOOLS:
        if (version := _tool_version(shell or LocalShell(), argv, pattern)) is not None:
            versions[name] = version
    return versions


def _tool_version(shell: Shell, argv: tuple[str, ...], pattern: str) -> str | None:
    try:
        completed = shell.run(argv, timeout_s=VERSION_TIMEOUT_S, check=False)
    except FaultError:
        return None
    found = re.search(pattern, completed.stdout + completed.stderr)
    return found[1].strip() if found else None
