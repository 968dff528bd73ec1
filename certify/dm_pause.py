"""Hold a device-mapper device for a known time: I/O to it waits and goes on afterwards.

By ioctl rather than by dmsetup(8): starting a process takes tens of milliseconds, and what is
known here is what measurements are compared with.
"""

import fcntl
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from certify.deadline import Clock
from certify.lab_errors import LabError
from fault_injectors import LocalShell

CONTROL = "/dev/mapper/control"
# struct dm_ioctl and its flags: include/uapi/linux/dm-ioctl.h
_IOCTL = struct.Struct("=3I I I I i I I I Q 128s 129s 7x")
_VERSION = (4, 0, 0)
_DM_DEV_SUSPEND = 3 << 30 | _IOCTL.size << 16 | 0xFD << 8 | 6
_SUSPEND, _SKIP_LOCKFS, _NOFLUSH = 1 << 1, 1 << 10, 1 << 11
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What was held from some moment between the first two to some moment between the others.

    CLOCK_MONOTONIC ns.
    """

    begin_ns: tuple[int, int]
    end_ns: tuple[int, int]

    @property
    def ms(self) -> float:
        """The likeliest length, in ms."""
        return (sum(self.end_ns) - sum(self.begin_ns)) / 2e6

    @property
    def doubt_ms(self) -> float:
        """How much it may be longer or shorter, in ms."""
        spans = (self.begin_ns[1] - self.begin_ns[0]) + (self.end_ns[1] - self.end_ns[0])
        return spans / 2e6


def hold(
    name: str,
    seconds: float,
    *,
    clock: Clock = time.monotonic_ns,
    sleep: Callable[[float], None] = time.sleep,
) -> Pause:
    """Suspend device-mapper device *name* for *seconds* and resume it, whatever happens.

    Raises LabError when the kernel does not do it.
    """
    try:
        control = os.open(CONTROL, os.O_RDWR)
    except OSError as error:
        raise LabError(f"{CONTROL}: cannot be opened: {error.strerror}") from error
    try:
        try:
            began = _suspend(control, name, _SUSPEND | _SKIP_LOCKFS | _NOFLUSH, clock)
            sleep(seconds)
        except BaseException:
            with suppress(LabError):  # the first error is the one to tell
                _suspend(control, name, 0, clock)
            raise
        ended = _suspend(control, name, 0, clock)
    finally:
        os.close(control)
    return Pause(begin_ns=began, end_ns=ended)


def _suspend(control: int, name: str, flags: int, clock: Clock) -> tuple[int, int]:
    """Suspend, or resume with no flag; return the stamps of before and after."""
    command = bytearray(
        _IOCTL.pack(*_VERSION, _IOCTL.size, _IOCTL.size, 0, 0, flags, 0, 0, 0, name.encode(), b"")
    )
    before = clock()
    try:
        fcntl.ioctl(control, _DM_DEV_SUSPEND, command)
    except OSError as error:
        verb = "suspended" if flags else "resumed"
        raise LabError(f"device-mapper {name}: cannot be {verb}: {error.strerror}") from error
    return before, clock()


@contextmanager
def linear_over(device: str, size_bytes: int, name: str) -> Iterator[None]:
    """Put a device-mapper device *name* over all of *device*, which is then in use by it."""
    shell = LocalShell()
    table = f"0 {size_bytes // 512} linear {device} 0"
    shell.run(("dmsetup", "--noudevsync", "create", name, "--table", table), timeout_s=TIMEOUT_S)
    try:
        shell.run(("dmsetup", "mknodes", name), timeout_s=TIMEOUT_S)
        yield
    finally:
        shell.run(("dmsetup", "remove", "--retry", name), timeout_s=TIMEOUT_S, check=False)
