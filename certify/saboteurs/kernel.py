"""The kernel's objects of a saboteur: found beneath, made above. Linux 6.1, drivers/target.

Beneath is whatever the engines export through tcm_loop. Above, for each of their disks, stand a
TCMU device of the saboteur's own, behind a tcm_loop port that the lab has made for it.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from certify.saboteurs.values import Front

TARGET = Path("/sys/kernel/config/target")
SCSI = Path("/sys/class/scsi_device")
HBA_OFFSET = 100
"""The saboteur's HBA of an engine is `user_` and the engine's own number plus this."""
WAIT_S = 20.0
ATTRIBUTES = {
    "pgr_support": "0",
    "alua_support": "0",
    "cmd_time_out": "0",
    "tmr_notification": "1",
}
"""Reservations and access states are the router's; no command is given up but by the host; resets
are told."""


class KernelError(Exception):
    """The kernel lacks an object, or refused one; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beneath:
    """A disk of the router as a host would see it."""

    front: Front
    backstore: Path  # the engine's
    hctl: str
    lun: int

    @property
    def own_backstore(self) -> Path:
        """The saboteur's device for the same unit, host and engine."""
        number = int(self.backstore.parent.name.removeprefix("user_")) + HBA_OFFSET
        return self.backstore.parent.parent / f"user_{number}" / self.backstore.name


def find_beneath(hba_of_engine: dict[str, int], *, count: int) -> list[Beneath]:
    """Wait for *count* disks of the engines and return them. Raises KernelError after 20 s.

    A backstore is named "ENGINE-UNIT-HOST".
    """
    found: list[Beneath] = []
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = _exported(hba_of_engine)
        if len(found) == count and all(_disk_ready(one.hctl) for one in found):
            return found
        time.sleep(0.02)
    raise KernelError(f"expected {count} disks of the engines, found {len(found)}")


def _exported(hba_of_engine: dict[str, int]) -> list[Beneath]:
    engine_of = {f"user_{number}": engine for engine, number in hba_of_engine.items()}
    found = []
    for link in sorted(TARGET.glob("loopback/*/tpgt_1/lun/lun_*/*")):
        if not link.is_symlink() or (engine := engine_of.get(link.resolve().parent.name)) is None:
            continue
        backstore = link.resolve()
        group = link.parents[2]
        lun = int(link.parent.name.removeprefix("lun_"))
        unit, host = backstore.name.removeprefix(f"{engine}-").split("-", 1)
        address = (group / "address").read_text(encoding="ascii").strip()
        found.append(
            Beneath(
                front=Front(engine=engine, unit=unit, host=host),
                backstore=backstore,
                hctl=f"{address}:{lun}",
                lun=lun,
            )
        )
    return found


def _disk_ready(hctl: str) -> bool:
    return any((SCSI / hctl / "device/block").glob("sd*")) and bool(sg_node(hctl))


def sg_node(hctl: str) -> str:
    """Return the SCSI generic node of a disk, "" while there is none."""
    names = [entry.name for entry in (SCSI / hctl / "device/scsi_generic").glob("sg*")]
    return f"/dev/{names[0]}" if names and (Path("/dev") / names[0]).exists() else ""


def size_bytes(beneath: Beneath) -> int:
    """Return the size of a disk."""
    (block,) = (SCSI / beneath.hctl / "device/block").iterdir()
    return int((block / "size").read_text(encoding="ascii")) * 512


def create(beneath: Beneath, *, size: int) -> str:
    """Make the saboteur's TCMU device; return its UIO node. Raises KernelError."""
    backstore = beneath.own_backstore
    backstore.mkdir(parents=True, exist_ok=True)
    key = "/".join((beneath.front.unit, beneath.front.host))
    _write(
        backstore / "control",
        f"dev_config={key},dev_size={size},hw_block_size=512,hw_max_sectors=1024,"
        "max_data_area_mb=16,nl_reply_supported=-1",
    )
    _write(backstore / "enable", "1")
    for name, value in ATTRIBUTES.items():
        _write(backstore / "attrib" / name, value)
    number = backstore.parent.name.removeprefix("user_")
    return _uio_node(f"tcm-user/{number}/{backstore.name}/{key}")


def export(beneath: Beneath, adapter: str) -> None:
    """Show the saboteur's device to its host, by the tcm_loop port *adapter* that is there.

    Its ring must be served meanwhile, for the host scans at once. Raises KernelError.
    """
    folder = TARGET / "loopback" / adapter / "tpgt_1" / "lun" / f"lun_{beneath.lun}"
    try:
        folder.mkdir()
        (folder / "port").symlink_to(beneath.own_backstore)
    except OSError as error:
        raise KernelError(f"{folder}: not exported: {error.strerror}") from error


def wait_for(what: str, ready: Callable[[], bool]) -> None:
    """Wait up to 20 s until *ready*. Raises KernelError that names *what*."""
    deadline = time.monotonic() + WAIT_S
    while not ready():
        if time.monotonic() > deadline:
            raise KernelError(f"{what}: not there after {WAIT_S:.0f} s")
        time.sleep(0.02)


def _uio_node(name: str) -> str:
    node = ""

    def found() -> bool:
        nonlocal node
        for path in Path("/sys/class/uio").glob("uio*/name"):
            with suppress(OSError):
                if path.read_text(encoding="utf-8").strip() == name:
                    node = f"/dev/{path.parent.name}"
        return bool(node) and Path(node).exists()

    wait_for(f"UIO device {name}", found)
    return node


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="ascii")
    except OSError as error:
        raise KernelError(f"{path}: writing {text!r}: {error.strerror}") from error
