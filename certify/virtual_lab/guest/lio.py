"""LIO targets through configfs: backstores and tcm_loop host adapters, as the virtual arrays need.

The file names and their order are those of drivers/target in Linux 6.1 (tcm_loop.c,
target_core_configfs.c). Nothing here is for the reference router, which owns its own objects.
"""

import time
from pathlib import Path

TARGET = Path("/sys/kernel/config/target")
APPEAR_TIMEOUT_S = 10.0


class LioError(Exception):
    """The kernel refused an object or a disk did not appear; the message names it."""


def create_backstore(
    plugin: str, name: str, control: str, *, serial: str, product: str, vendor: str = "ZSARRAY"
) -> Path:
    """Create and enable a backstore without a write cache; return its configfs folder.

    *plugin* is the configfs folder name, for example "iblock_10" or "rd_mcp_11". *serial* becomes
    VPD page 80h and, through it, the NAA designator of page 83h (target_core_spc.c).
    """
    folder = TARGET / "core" / plugin / name
    folder.mkdir(parents=True)
    _write(folder / "control", control)
    _write(folder / "wwn/vendor_id", vendor)
    _write(folder / "wwn/product_id", product)
    _write(folder / "wwn/vpd_unit_serial", serial)
    _write(folder / "enable", "1")
    _write(folder / "attrib/emulate_write_cache", "0")
    return folder


def create_adapter(naa: str) -> Path:
    """Create a tcm_loop host adapter named *naa*; return its target port group's folder."""
    group = TARGET / "loopback" / naa / "tpgt_1"
    group.mkdir(parents=True)
    initiator = naa[:-1] + format(int(naa[-1], 16) ^ 1, "x")
    _write(group / "nexus", initiator)
    return group


def export(group: Path, lun: int, backstore: Path) -> str:
    """Export *backstore* as *lun* of an adapter; return the SCSI address "H:C:T:L"."""
    folder = group / "lun" / f"lun_{lun}"
    folder.mkdir()
    (folder / "port").symlink_to(backstore)
    return f"{address(group)}:{lun}"


def address(group: Path) -> str:
    """Return "H:C:T" of an adapter."""
    return (group / "address").read_text().strip()


def wait_for_disk(hctl: str) -> str:
    """Return the kernel name ("sdb") of the disk at *hctl* once its node exists.

    Raises LioError after 10 s.
    """
    deadline = time.monotonic() + APPEAR_TIMEOUT_S
    folder = Path("/sys/class/scsi_device") / hctl / "device/block"
    while time.monotonic() < deadline:
        names = [entry.name for entry in folder.glob("sd*")]
        if names and (Path("/dev") / names[0]).exists():
            return names[0]
        time.sleep(0.005)
    raise LioError(f"no disk at SCSI address {hctl} within {APPEAR_TIMEOUT_S:.0f} s")


def wwid(hctl: str) -> str:
    """Return the WWID of the disk at *hctl* as multipath writes it: "3" and the NAA digits."""
    text = (Path("/sys/class/scsi_device") / hctl / "device/wwid").read_text().strip()
    if not text.startswith("naa."):
        raise LioError(f"disk at {hctl}: expected an NAA designator, seen {text!r}")
    return "3" + text.removeprefix("naa.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text)
    except OSError as error:
        raise LioError(f"{path}: writing {text!r}: {error.strerror}") from error
