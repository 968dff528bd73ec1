"""The SCSI generic layer fills the kernel's header as sg.h says, and returns all that came back."""

import ctypes
import errno

import pytest

from certify import cdb, sg
from certify.scsi import Status

SENSE = bytes.fromhex("70 00 05 00 00 00 00 0a 00 00 00 00 20 00 00 00 00 00")


class Kernel:
    """Plays the kernel's side of ioctl, write and read on a header."""

    def __init__(self, *, data=b"", status=0, sense=b"", host_status=0, resid=0):
        self.data, self.status, self.sense = data, status, sense
        self.host_status, self.resid = host_status, resid
        self.seen = []
        self.waiting = []

    def answer(self, header):
        command = ctypes.string_at(header.cmdp, header.cmd_len)
        out = ctypes.string_at(header.dxferp, header.dxfer_len) if header.dxfer_len else b""
        self.seen.append((command, header.dxfer_direction, out, header.timeout))
        if self.data:
            ctypes.memmove(header.dxferp, self.data, len(self.data))
        if self.sense:
            ctypes.memmove(header.sbp, self.sense, len(self.sense))
        header.status, header.host_status, header.resid = self.status, self.host_status, self.resid
        header.sb_len_wr = len(self.sense)

    def ioctl(self, _descriptor, request, header):
        assert request == sg.SG_IO
        self.answer(header)

    def write(self, _descriptor, header):
        self.waiting.append(header)

    def readv(self, _descriptor, buffers):
        if not self.waiting:
            raise BlockingIOError(errno.EAGAIN, "nothing")
        header = self.waiting.pop()
        self.answer(header)
        ctypes.memmove(ctypes.addressof(buffers[0]), ctypes.addressof(header), 88)


@pytest.fixture
def install(monkeypatch):
    def put(kernel):
        monkeypatch.setattr(sg.fcntl, "ioctl", kernel.ioctl)
        monkeypatch.setattr(sg, "os", kernel)
        return kernel

    return put


def test_the_header_has_the_size_that_the_kernel_checks():
    assert ctypes.sizeof(sg._Header) == 88


def test_a_read_returns_data_and_stamps(install):
    kernel = install(Kernel(data=b"abcd", resid=4))
    stamps = iter([100, 175])

    done = sg.execute(
        3, cdb.inquiry(8), data_in_length=8, timeout_ms=700, clock=lambda: next(stamps)
    )

    assert kernel.seen == [(cdb.inquiry(8), -3, bytes(8), 700)]
    assert (done.data, done.residual, done.sent_ns, done.done_ns) == (b"abcd", 4, 100, 175)
    assert done.is_good


def test_a_write_hands_over_its_data(install):
    kernel = install(Kernel())

    done = sg.execute(3, cdb.write(0, 1), data_out=b"x" * 512)

    assert kernel.seen == [(cdb.write(0, 1), -2, b"x" * 512, 30_000)]
    assert done.data == b""


def test_a_command_without_data_moves_none(install):
    kernel = install(Kernel())

    sg.execute(3, cdb.test_unit_ready())

    assert [direction for _, direction, _, _ in kernel.seen] == [-1]


def test_sense_is_decoded(install):
    install(Kernel(status=Status.CHECK_CONDITION, sense=SENSE))

    done = sg.execute(3, bytes(6))

    assert done.sense_code == "5/20/00"
    assert done.sense.raw == SENSE


def test_a_host_status_is_kept(install):
    install(Kernel(host_status=1))

    done = sg.execute(3, bytes(6))

    assert not done.is_good
    assert not done.reached_target


def test_data_moves_one_way():
    with pytest.raises(ValueError, match="one way"):
        sg.execute(3, bytes(6), data_out=b"x", data_in_length=1)


def test_queued_commands_come_back_under_their_own_name(install):
    install(Kernel(data=b"zz"))
    queue = sg.SgQueue(3)
    for name in (7, 8):
        queue.submit(name, cdb.read(name, 1), data_in_length=2)

    first, second = queue.reap(), queue.reap()

    assert (len(queue), queue.reap()) == (0, None)
    assert [(name, done.cdb, done.data) for name, done in (first, second)] == [
        (8, cdb.read(8, 1), b"zz"),
        (7, cdb.read(7, 1), b"zz"),
    ]


def test_a_full_queue_says_so(install):
    install(Kernel())
    queue = sg.SgQueue(3)
    for name in range(sg.QUEUE_COMMANDS_MAX):
        queue.submit(name, bytes(6))

    with pytest.raises(BlockingIOError, match="16 commands are under way"):
        queue.submit(99, bytes(6))


def test_a_refused_command_is_not_under_way(install):
    kernel = install(Kernel())

    def refuse(_descriptor, _header):
        raise OSError(errno.ENODEV, "gone")

    kernel.write = refuse
    queue = sg.SgQueue(3)

    with pytest.raises(OSError, match="gone"):
        queue.submit(1, bytes(6))
    assert len(queue) == 0


def test_a_name_is_used_once_at_a_time(install):
    install(Kernel())
    queue = sg.SgQueue(3)
    queue.submit(1, bytes(6))

    with pytest.raises(ValueError, match="pack_id 1 is under way"):
        queue.submit(1, bytes(6))


def test_opening_a_missing_device_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError), sg.opened(str(tmp_path / "sg9")):
        pytest.fail("there is nothing to open")
