"""The disks of the lab, as the host, the engines and the inspector have them."""

import contextlib
import mmap
import os
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from certify import cdb, sg
from certify.scsi import SenseKey
from certify.virtual_lab import layout

SECTOR_BYTES = 512
BLOCKS = 8
"""Of every write of the tests: one page."""

PAGE_BYTES = BLOCKS * SECTOR_BYTES
REGION_BLOCKS = 2048
UNIT_BLOCKS = layout.LOGICAL_UNITS[0].size_bytes // SECTOR_BYTES
REGIONS = UNIT_BLOCKS // REGION_BLOCKS
CHUNK_BYTES = 1 << 20
TIMEOUT_MS = 20_000
ATTENTIONS_MAX = 4

_SCSI_DEVICE = Path("/sys/class/scsi_device")
_TARGET = Path("/sys/kernel/config/target")


class CommandError(Exception):
    """A command did not end GOOD; the message is what came back."""


@cache
def lab() -> dict[str, Any]:
    """Return lab.toml."""
    return tomllib.loads((layout.RUN / "lab.toml").read_text(encoding="utf-8"))


@contextmanager
def no_path_checker() -> Iterator[None]:
    """Stop multipathd for a moment: its TEST UNIT READY on a path takes a unit attention away."""
    daemon = int(subprocess.check_output(["pidof", "multipathd"], text=True))
    os.kill(daemon, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(daemon, signal.SIGCONT)


def node(hctl: str) -> str:
    """Return the block device of a SCSI address."""
    (found,) = (_SCSI_DEVICE / hctl / "device/block").iterdir()
    return f"/dev/{found.name}"


def path_node(number: int, unit: int = 0) -> str:
    """Return the host's disk behind engine `number`, 1 or 2."""
    backstores = f"user_{layout.engine_hba(layout.ENGINES[number - 1])}"
    for port in _TARGET.glob("loopback/*/tpgt_1/lun/lun_*/*"):
        if not port.is_symlink():
            continue
        backstore = port.resolve()
        if backstore.parent.name == backstores and backstore.name.endswith(layout.HOST):
            address = (port.parents[2] / "address").read_text(encoding="ascii").strip()
            return node(f"{address}:{unit}")
    raise FileNotFoundError(f"engine {number} exports nothing")


def map_node(unit: int = 0) -> str:
    """Return the multipath device of a unit."""
    return f"/dev/mapper/{lab()['logical_unit'][unit]['wwid']}"


def inspection_node(array: str, unit: int = 0) -> str:
    """Return the array's disk as the inspector has it, past the router."""
    adapter = layout.array_adapter(array, layout.INSPECTOR)
    address = (_TARGET / "loopback" / adapter / "tpgt_1/address").read_text().strip()
    return node(f"{address}:{unit}")


# Arrays


def set_array(name: str, state: str) -> None:
    """Set the state of all the engines' disks of an array: offline or running."""
    (array,) = [each for each in lab()["array"] if each["name"] == name]
    for hctl in array["hctl"]:
        (_SCSI_DEVICE / hctl / "device/state").write_text(f"{state}\n")


@contextmanager
def suspended(array: str, unit: str = "lu0") -> Iterator[None]:
    """Let the medium of a leg hang: commands wait, none is lost."""
    device = layout.slow_device(array, unit)
    _dmsetup("suspend", "--noflush", "--nolockfs", device)
    try:
        yield
    finally:
        _dmsetup("resume", device)


def resume_all() -> None:
    """Put every array back, whatever a case has left."""
    for array in layout.ARRAYS:
        set_array(array, "running")
        for unit in layout.LOGICAL_UNITS:
            _dmsetup("resume", layout.slow_device(array, unit.name))


def _dmsetup(*words: str) -> None:
    subprocess.run(["dmsetup", *words], check=True, capture_output=True, timeout=30)


# Ways to a block


class Way:
    """One way to read and write pages. Not for two threads at once."""

    def __init__(self, device: str) -> None:
        self.device = device

    def read(self, lba: int) -> bytes:
        """Return the page at `lba`. Raises CommandError or OSError."""
        raise NotImplementedError

    def write(self, lba: int, page: bytes) -> None:
        """Write a page at `lba`. Raises CommandError or OSError."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the device."""
        raise NotImplementedError


class Scsi(Way):
    """By SG_IO to one path: a command is sent again only after a unit attention."""

    def __init__(self, device: str) -> None:
        super().__init__(device)
        self._fd = os.open(device, os.O_RDWR | os.O_NONBLOCK)

    def read(self, lba: int) -> bytes:
        """See Way."""
        return self.execute(cdb.read(lba, BLOCKS), data_in_length=PAGE_BYTES)

    def write(self, lba: int, page: bytes) -> None:
        """See Way."""
        self.execute(cdb.write(lba, BLOCKS), data_out=page)

    def execute(self, command: bytes, **data: Any) -> bytes:
        """Send a command. Raises CommandError."""
        for _ in range(ATTENTIONS_MAX):
            end = sg.execute(self._fd, command, timeout_ms=TIMEOUT_MS, **data)
            if end.sense is None or end.sense.key != SenseKey.UNIT_ATTENTION:
                break
        if end.status or end.host_status or end.driver_status & 0x7:
            words = str(end.sense) if end.sense else f"status {end.status:#x}"
            raise CommandError(f"{words}, host status {end.host_status:#x}")
        return end.data

    def close(self) -> None:
        """See Way."""
        os.close(self._fd)


class Direct(Way):
    """By the block layer, past the page cache: how a host's application does it."""

    def __init__(self, device: str) -> None:
        super().__init__(device)
        self._fd = os.open(device, os.O_RDWR | os.O_DIRECT)
        self._buffer = mmap.mmap(-1, PAGE_BYTES)  # page-aligned, as O_DIRECT wants it

    def read(self, lba: int) -> bytes:
        """See Way."""
        if os.preadv(self._fd, [self._buffer], lba * SECTOR_BYTES) != PAGE_BYTES:
            raise CommandError("short read")
        return self._buffer[:]

    def write(self, lba: int, page: bytes) -> None:
        """See Way."""
        self._buffer[:] = page
        if os.pwritev(self._fd, [self._buffer], lba * SECTOR_BYTES) != PAGE_BYTES:
            raise CommandError("short write")

    def close(self) -> None:
        """See Way."""
        os.close(self._fd)


def whole(device: str) -> Iterator[bytes]:
    """Yield a whole device by chunks, past the page cache."""
    fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, CHUNK_BYTES)
    try:
        for offset in range(0, os.lseek(fd, 0, os.SEEK_END), CHUNK_BYTES):
            got = os.preadv(fd, [buffer], offset)
            yield buffer[:got]
    finally:
        os.close(fd)


def difference(one: str, other: str) -> str:
    """Return "" if two devices hold the same sectors, else where and how they differ first."""
    for number, (mine, theirs) in enumerate(zip(whole(one), whole(other), strict=True)):
        if mine != theirs:
            at = next(
                at
                for at in range(0, len(mine), SECTOR_BYTES)
                if mine[at : at + SECTOR_BYTES] != theirs[at : at + SECTOR_BYTES]
            )
            lba = (number * CHUNK_BYTES + at) // SECTOR_BYTES
            return f"LBA {lba}: {mine[at : at + 32].hex()} and {theirs[at : at + 32].hex()}"
    return ""


def differences() -> dict[str, str]:
    """Compare the arrays' copies of every unit sector by sector, past the router."""
    return {
        unit.name: difference(*(inspection_node(array, unit.lun) for array in layout.ARRAYS))
        for unit in layout.LOGICAL_UNITS
    }


def close_all(*ways: Way) -> None:
    """Close them all."""
    for way in ways:
        with contextlib.suppress(OSError):
            way.close()
