"""A device that is held is let go again, and how long it was held is known.

Method: the kernel's part is a list of what it was asked.
"""

import struct
from typing import Any

import pytest

from certify import dm_pause
from certify.lab_errors import LabError

DM_DEV_SUSPEND = 0xC138FD06  # _IOWR(0xfd, 6, struct dm_ioctl) of 312 bytes
SUSPEND_FLAG = 1 << 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, int]]:
    """What device-mapper was asked: request, name, flags."""
    seen: list[tuple[int, str, int]] = []

    def ioctl(_descriptor: int, request: int, command: bytearray) -> int:
        flags = struct.unpack_from("=I", command, 28)[0]
        name = bytes(command[48:176]).rstrip(b"\0").decode()
        seen.append((request, name, flags))
        return 0

    monkeypatch.setattr(dm_pause, "CONTROL", "/dev/null")
    monkeypatch.setattr("fcntl.ioctl", ioctl)
    return seen


def test_it_is_suspended_and_resumed(asked: list[tuple[int, str, int]]) -> None:
    ticks = iter([0, 2_000_000, 1_000_000_000, 1_004_000_000])

    pause = dm_pause.hold("leg", 1.0, clock=lambda: next(ticks), sleep=lambda _: None)

    assert [(request, name, bool(flags & SUSPEND_FLAG)) for request, name, flags in asked] == [
        (DM_DEV_SUSPEND, "leg", True),
        (DM_DEV_SUSPEND, "leg", False),
    ]
    assert (pause.ms, pause.doubt_ms) == (1001.0, 3.0)


def test_it_is_resumed_when_the_wait_is_broken_off(asked: list[tuple[int, str, int]]) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dm_pause.hold("leg", 1.0, sleep=interrupt)

    assert [flags & SUSPEND_FLAG for _, _, flags in asked] == [SUSPEND_FLAG, 0]


def test_kernel_that_refuses_is_told_with_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise OSError(6, "No such device or address")

    monkeypatch.setattr(dm_pause, "CONTROL", "/dev/null")
    monkeypatch.setattr("fcntl.ioctl", refuse)

    with pytest.raises(LabError, match="device-mapper leg: cannot be suspended: No such device"):
        dm_pause.hold("leg", 1.0, sleep=lambda _: None)
