"""The kernel's target objects of one engine, made and removed in configfs. Shell.

Per (logical unit, host) a TCMU device, which a transport shows to that host (loopback.py,
iscsi.py). Order matters: the handler must run before a LUN is linked, since the initiator scans at
once, and must run until it is unlinked.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reference_router.config import EngineTable, RouterConfig

TARGET = Path("/sys/kernel/config/target")
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
    host: str
    lun: int  # as the host sees it
    size_bytes: int
    backstore: Path
    port: Path  # the target port group
    port_lun: int  # in the target port group

    @property
    def uio_name(self) -> str:
        """Name of the UIO device (tcmu_update_uio_info in target_core_user.c)."""
        index = self.backstore.parent.name.removeprefix("user_")
        return f"tcm-user/{index}/{self.backstore.name}/{self.key}"

    @property
    def lun_folder(self) -> Path:
        """Folder of the LUN that exports this device."""
        return self.port / "lun" / f"lun_{self.port_lun}"


def devices_of(
    config: RouterConfig,
    engine: EngineTable,
    sizes: dict[str, int],
    place: Callable[[int, int], tuple[Path, int]],
) -> tuple[Device, ...]:
    """Return the devices of an engine, all hosts and units.

    *place* is the transport's: from the places of host and unit in the file to the target port
    group and the LUN in it.
    """
    hba = TARGET / "core" / f"user_{engine.hba_index or _HBA_INDEX_BASE + engine.id}"
    return tuple(
        Device(
            key=f"{unit.name}/{host.name}",
            host=host.name,
            lun=lun,
            size_bytes=sizes.get(unit.name, 0),
            backstore=hba / f"{engine.name}-{unit.name}-{host.name}",
            port=place(number, lun)[0],
            port_lun=place(number, lun)[1],
        )
        for number, host in enumerate(config.host)
        for lun, unit in enumerate(config.logical_unit)
    )


def create(device: Device, config: RouterConfig) -> None:
    """Make the TCMU device, not exported yet. Raises ConfigfsError."""
    cluster = config.cluster
    make_folder(device.backstore)
    # Without a reply from user space (nl_reply_supported=-1) no netlink listener is needed.
    write(
        device.backstore / "control",
        f"dev_config={device.key},dev_size={device.size_bytes},hw_block_size=512,"
        f"hw_max_sectors={cluster.max_transfer_blocks},"
        f"max_data_area_mb={cluster.max_data_area_mb},nl_reply_supported=-1",
    )
    write(device.backstore / "enable", "1")
    attributes = {**_ATTRIBUTES, "cmd_time_out": str(config.command_timeout_s)}
    if (device.backstore / "attrib" / _TELL_ABORTS).exists():  # not in older kernels
        attributes[_TELL_ABORTS] = "1"
    for name, value in attributes.items():
        write(device.backstore / "attrib" / name, value)


def link_lun(device: Device) -> None:
    """Make the device a LUN of its target port group. Its handler must be running."""
    make_folder(device.lun_folder)
    link = device.lun_folder / "port"
    try:
        if not link.is_symlink():
            link.symlink_to(device.backstore)
    except OSError as error:
        raise ConfigfsError(f"{link}: linking {device.backstore}: {error.strerror}") from error


def unlink_lun(device: Device) -> None:
    """Take the LUN away. Its handler must still be running."""
    remove_linked(device.lun_folder)


def remove_linked(folder: Path) -> None:
    """Remove a folder of the kernel's that holds links of ours, if it is there."""
    if folder.exists():
        for link in folder.iterdir():
            if link.is_symlink():
                link.unlink()
        folder.rmdir()


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
    return TARGET / "core" / f"user_{index}" / name / "action" / "free_kept_buf"


def _uio_names() -> Iterator[Path]:
    if _UIO.exists():
        yield from _UIO.glob("uio*/name")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def make_folder(path: Path) -> None:
    """Make a folder, and with it an object of the kernel's; ConfigfsError says why it refused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigfsError(f"{path}: cannot be made: {error.strerror}") from error


def write(path: Path, value: str) -> None:
    """Write a value; ConfigfsError says why the kernel refused it."""
    try:
        path.write_text(value, encoding="ascii")
    except OSError as error:
        raise ConfigfsError(f"{path}: writing {value!r}: {error.strerror}") from error
