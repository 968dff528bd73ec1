"""SG_IO carries bytes both ways, tells every way to fail, and knows where aborting is not safe."""

import ctypes
import errno
import os
import struct
from pathlib import Path

import pytest

from reference_router.reserve_codec import ScsiCommand, ScsiEnd
from reference_router.scsi_ioctl import TIMEOUT_MS, aborts_safely, execute

# struct sg_io_hdr for 64 bits, by offsets from include/scsi/sg.h
INTERFACE_ID, DIRECTION, CDB_BYTES, SENSE_ROOM, SIZE, DATA, CDB, SENSE, TIMEOUT = (
    *(0, 4, 8, 9, 12, 16, 24, 32),
    40,
)
STATUS, SENSE_WRITTEN, HOST_STATUS, DRIVER_STATUS, LEFT = 64, 67, 68, 70, 72
OUT = ScsiCommand(cdb=b"\x5f" + bytes(9), parameters=b"parameters")
IN = ScsiCommand(cdb=b"\x5e" + bytes(9), answer_bytes=16)


class FakeIoctl:
    """A kernel that remembers what it was asked for, and answers as told."""

    def __init__(self, answer: bytes = b"", sense: bytes = b"", **fields: int) -> None:
        self.answer, self.sense, self.fields = answer, sense, fields
        self.request = 0
        self.cdb = self.data = b""
        self.header = b""

    def __call__(self, fd: int, request: int, header: bytearray) -> int:
        self.request, self.header = request, bytes(header)
        size = self.word("I", SIZE)
        self.cdb = ctypes.string_at(self.word("Q", CDB), self.word("B", CDB_BYTES))
        self.data = ctypes.string_at(self.word("Q", DATA), size)
        ctypes.memmove(self.word("Q", DATA), self.answer, len(self.answer))
        ctypes.memmove(self.word("Q", SENSE), self.sense, len(self.sense))
        header[STATUS] = self.fields.get("status", 0)
        header[SENSE_WRITTEN] = len(self.sense)
        struct.pack_into("HH", header, HOST_STATUS, *self.adapter())
        struct.pack_into("i", header, LEFT, self.fields.get("left", size - len(self.answer)))
        return 0

    def adapter(self) -> tuple[int, int]:
        return self.fields.get("host", 0), self.fields.get("driver", 0)

    def word(self, code: str, offset: int) -> int:
        return struct.unpack_from(code, self.header, offset)[0]


def test_parameters_go_out():
    kernel = FakeIoctl()
    assert execute(3, OUT, kernel) == ScsiEnd()
    assert (kernel.request, len(kernel.header)) == (0x2285, 88)
    assert (kernel.cdb, kernel.data) == (OUT.cdb, OUT.parameters)
    assert kernel.word("i", INTERFACE_ID) == ord("S")
    assert kernel.word("i", DIRECTION) == -2
    assert kernel.word("I", TIMEOUT) == TIMEOUT_MS


def test_answer_comes_in_without_what_was_not_transferred():
    kernel = FakeIoctl(answer=b"eight by")
    assert execute(3, IN, kernel) == ScsiEnd(answer=b"eight by")
    assert kernel.word("i", DIRECTION) == -3
    assert kernel.word("I", SIZE) == 16


@pytest.mark.parametrize("left", [-1, 17])
def test_impossible_residual_is_no_answer(left):
    assert execute(3, IN, FakeIoctl(answer=b"x", left=left)).answer == b""


def test_status_and_sense_are_told():
    kernel = FakeIoctl(sense=b"\x70\x00\x06", status=2, driver=8)
    assert execute(3, OUT, kernel) == ScsiEnd(status=2, sense=b"\x70\x00\x06")


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"host": 3}, "host adapter: time out"),
        ({"host": 0x99}, "host adapter: status 0x99"),
        ({"driver": 6}, "driver status 0x6"),
    ],
)
def test_what_has_no_status_is_a_failure(fields, failure):
    assert execute(3, OUT, FakeIoctl(**fields)) == ScsiEnd(failure=failure)


def test_refused_ioctl_is_a_failure():
    def refuse(_fd: int, _request: int, _header: bytearray) -> int:
        raise OSError(errno.ENODEV, "gone")

    assert execute(3, OUT, refuse) == ScsiEnd(failure="SG_IO: No such device")


class Sysfs:
    """Block devices 8:N of hosts, and 254:0 mapped on some of them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def disk(self, minor: int, driver: str) -> Path:
        host = self.root / f"devices/adapter/host{minor}"
        names = host / f"scsi_host/host{minor}"
        names.mkdir(parents=True)
        (names / "proc_name").write_text(driver + "\n")
        device = host / f"target{minor}:0:0/{minor}:0:0:0"
        device.mkdir(parents=True)
        node = self.root / f"dev/block/8:{minor}"
        node.mkdir(parents=True)
        (node / "device").symlink_to(device)
        return node

    def mapping(self, *disks: Path) -> None:
        slaves = self.root / "dev/block/254:0/slaves"
        slaves.mkdir(parents=True)
        for disk in disks:
            (slaves / disk.name).symlink_to(disk)


@pytest.mark.parametrize(("major", "minor", "safe"), [(8, 0, True), (8, 1, False), (254, 0, False)])
def test_abort_is_safe_unless_a_disk_below_is_on_tcm_loop(tmp_path, major, minor, safe):
    sysfs = Sysfs(tmp_path)
    sysfs.mapping(sysfs.disk(0, "qla2xxx"), sysfs.disk(1, "tcm_loopback"))
    assert aborts_safely(os.makedev(major, minor), tmp_path) is safe


def test_abort_is_safe_on_what_is_no_scsi_disk(tmp_path):
    assert aborts_safely(os.makedev(7, 0), tmp_path) is True
