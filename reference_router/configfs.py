"""The kernel's target objects of one engine, made and removed in configfs. Shell.

Per (logical unit, host) a TCMU device; per host a loopback target port, through which the host
sees the devices as SCSI disks. Order matters: the handler must run before a LUN is linked, since
the initiator scans at once, and must run until it is unlinked.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reference_router.config import EngineTable, RouterConfig

_TARGET = Path("/sys/kernel/config/target")
_UIO = Path("/sys/class/uio")
_HBA_INDEX_BASE = 100  # user_N must be unique over all backstores
_NODE_WAIT_S = 5.0
# Reservations and ALUA are for both engines to agree on, so the kernel keeps its hands off. The
# write cache attribute stays as it is, off: writing it wants a netlink listener.
_ATTRIBUTES = {"pgr_support": "0", "alua_support": "0"}
_TELL_ABORTS = "tmr_notification"
RESET_FAIL = b"2"  # action/reset_ring: 1 is BUSY, 2 is CHECK CONDITION to what is under way


class ConfigfsError(Exception):
    """The kernel refused an object; the message says which file, what was written, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One TCMU device: a logical unit for a host through this engine."""

    key: str  # "unit/host"
    lun: int
    size_bytes: int
    backstore: Path
    port: Path  # the loopback target port group

    @property
    def uio_name(self) -> str:
        """Name of the UIO device (tcmu_update_uio_info in target_core_user.c)."""
        index = self.backstore.parent.name.removeprefix("user_")
        return f"tcm-user/{index}/{self.backstore.name}/{self.key}"

    @property
    def lun_folder(self) -> Path:
        """Folder of the LUN that exports this device."""
        return self.port / "lun" / f"lun_{self.lun}"


def devices_of(
    config: RouterConfig, engine: EngineTable, sizes: dict[str, int]
) -> tuple[Device, ...]:
    """Return the devices of an engine, all hosts and units."""
    hba = _TARGET / "core" / f"user_{engine.hba_index or _HBA_INDEX_BASE + engine.id}"
    return tuple(
        Device(
            key=f"{unit.name}/{host.name}",
            lun=lun,
            size_bytes=sizes.get(unit.name, 0),
            backstore=hba / f"{engine.name}-{unit.name}-{host.name}",
            port=_port(config, engine, host.name),
        )
        for host in config.host
        for lun, unit in enumerate(config.logical_unit)
    )


def create(device: Device, config: RouterConfig) -> None:
    """Make the TCMU device, not exported yet. Raises ConfigfsError."""
    cluster = config.cluster
    _mkdir(device.backstore)
    # Without a reply from user space (nl_reply_supported=-1) no netlink listener is needed.
    _write(
        device.backstore / "control",
        f"dev_config={device.key},dev_size={device.size_bytes},hw_block_size=512,"
        f"hw_max_sectors={cluster.max_transfer_blocks},"
        f"max_data_area_mb={cluster.max_data_area_mb},nl_reply_supported=-1",
    )
    _write(device.backstore / "enable", "1")
    attributes = {**_ATTRIBUTES, "cmd_time_out": str(config.command_timeout_s)}
    if (device.backstore / "attrib" / _TELL_ABORTS).exists():  # not in older kernels
        attributes[_TELL_ABORTS] = "1"
    for name, value in attributes.items():
        _write(device.backstore / "attrib" / name, value)


def export(device: Device) -> None:
    """Link the device as a LUN of its host's loopback port. Its handler must be running."""
    naa = device.port.parent.name
    if not device.port.exists():
        _mkdir(device.port)
        _write(device.port / "nexus", _naa(f"initiator of {naa}"))
    _mkdir(device.lun_folder)
    link = device.lun_folder / "port"
    try:
        if not link.is_symlink():
            link.symlink_to(device.backstore)
    except OSError as error:
        raise ConfigfsError(f"{link}: linking {device.backstore}: {error.strerror}") from error


def remove_export(device: Device) -> None:
    """Unlink the LUN, and the port after its last LUN. Its handler must still be running."""
    folder = device.lun_folder
    if folder.exists():
        for link in folder.iterdir():
            if link.is_symlink():
                link.unlink()
        folder.rmdir()
    luns = device.port / "lun"
    if luns.exists() and not any(luns.iterdir()):
        device.port.rmdir()
        device.port.parent.rmdir()


def remove_backstore(device: Device) -> None:
    """Remove the TCMU device, which must not be exported."""
    if device.backstore.exists():
        device.backstore.rmdir()
    hba = device.backstore.parent
    if hba.exists() and not any(each.is_dir() for each in hba.iterdir()):
        hba.rmdir()


def uio_node(device: Device) -> Path:
    """Return the /dev/uioN of a device, waiting for it up to 5 s. Raises ConfigfsError."""
    deadline = time.monotonic() + _NODE_WAIT_S
    while True:
        for name in _uio_names():
            if _read(name) == device.uio_name:
                node = Path("/dev") / name.parent.name
                if node.exists():
                    return node
        if time.monotonic() > deadline:
            raise ConfigfsError(f"{_UIO}: expected a device named {device.uio_name}, seen none")
        time.sleep(0.01)


def open_reset(device: Device) -> int:
    """Open the file that resets the ring, so that later nothing must be looked up."""
    return os.open(device.backstore / "action" / "reset_ring", os.O_WRONLY | os.O_CLOEXEC)


def free_kept_file(uio_name: str) -> Path:
    """Return the file that frees memory which the kernel keeps for a command, once answered.

    *uio_name* is the UIO device's name; see `Device.uio_name`. The file takes the command's id.
    """
    _, index, name, *_ = uio_name.split("/")
    return _TARGET / "core" / f"user_{index}" / name / "action" / "free_kept_buf"


def _port(config: RouterConfig, engine: EngineTable, host: str) -> Path:
    naa = _naa(f"{config.cluster.name} {engine.name} {host}")
    return _TARGET / "loopback" / naa / "tpgt_1"


def _naa(what: str) -> str:
    """Return a stable port name: NAA 5 with LIO's company id, as targetcli makes them."""
    return f"naa.5001405{hashlib.sha256(what.encode()).hexdigest()[:9]}"


def _uio_names() -> Iterator[Path]:
    if _UIO.exists():
        yield from _UIO.glob("uio*/name")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _mkdir(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigfsError(f"{path}: cannot be made: {error.strerror}") from error


def _write(path: Path, value: str) -> None:
    try:
        path.write_text(value, encoding="ascii")
    except OSError as error:
        raise ConfigfsError(f"{path}: writing {value!r}: {error.strerror}") from error
