"""What a path returns at the end is recorded sector by sector, and failures are records too.

Method: a disk of dictionaries behind SG_IO.
"""

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from certify import sg
from certify.devices import PathDevice, ScsiDisk
from certify.lab import LogicalUnit
from certify.readback import FAILURES_MAX, read_back
from certify.scsi import Completion, Status, decode_sense
from certify.tags import Tag, encode
from reports.record import IoOutcome, IoRecord

RUN = 7
TAG = Tag(run=RUN, writer=1, seq=42, utc_ns=1, monotonic_ns=2)
MEDIUM_ERROR = bytes([0x70, 0, 3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0])


def make_path(block_bytes: int = 512) -> PathDevice:
    disk = ScsiDisk(
        hctl="1:0:0:0", sd="sda", sg="../dev/null", wwids=("3600",), size_bytes=1 << 20,
        block_bytes=block_bytes,
    )  # fmt: skip
    unit = LogicalUnit(name="lu0", wwid="3600")
    return PathDevice(path="p1", engine="e1", host="host1", unit=unit, disk=disk)


def completion(cdb: bytes, data: bytes = b"", sense: bytes = b"") -> Completion:
    return Completion(
        cdb=cdb, status=Status.CHECK_CONDITION if sense else Status.GOOD,
        sense=decode_sense(sense), residual=0, host_status=0, driver_status=0, data=data,
        sent_ns=1, done_ns=2,
    )  # fmt: skip


def read(
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[int, bytes], Completion],
    lbas: list[int],
    path: PathDevice | None = None,
) -> tuple[int, list[IoRecord]]:
    """Read *lbas*; `answer` takes the LBA of a READ(16) and its CDB."""

    def execute(descriptor: int, cdb: bytes, **rest: Any) -> Completion:
        if cdb[0] == 0x00:  # TEST UNIT READY
            return completion(cdb)
        return answer(int.from_bytes(cdb[2:10]), cdb)

    monkeypatch.setattr(sg, "execute", execute)
    seen: list[IoRecord] = []
    sectors = read_back(path or make_path(), lbas, run=RUN, emit=seen.append)
    return sectors, seen


def test_blocks_are_read_and_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    sectors, seen = read(
        monkeypatch, lambda lba, cdb: completion(cdb, encode(TAG, lba, 8)), [0, 800]
    )

    assert sectors == 16
    assert [(io.probe, io.lba, io.tag, io.outcome) for io in seen] == [
        ("readback:p1", 0, 42, IoOutcome.GOOD),
        ("readback:p1", 800, 42, IoOutcome.GOOD),
    ]


def test_larger_blocks_of_the_unit_are_taken_into_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    def answer(lba: int, cdb: bytes) -> Completion:
        asked.append((lba, int.from_bytes(cdb[10:14])))
        return completion(cdb, encode(TAG, lba * 8, 8))

    sectors, _ = read(monkeypatch, answer, [800], make_path(block_bytes=4096))

    assert (asked, sectors) == ([(100, 1)], 8)


def test_unreadable_block_is_a_record_with_its_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    sectors, (one,) = read(monkeypatch, lambda lba, cdb: completion(cdb, sense=MEDIUM_ERROR), [0])

    assert (sectors, one.outcome, one.sense) == (0, IoOutcome.CHECK_CONDITION, "3/11/00")


def test_short_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _, (one,) = read(monkeypatch, lambda lba, cdb: completion(cdb, bytes(512)), [0])

    assert (one.outcome, one.errno) == (IoOutcome.ERROR, errno.EIO)


def test_dead_path_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(lba: int, cdb: bytes) -> Completion:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    _, seen = read(monkeypatch, answer, list(range(0, 8000, 8)))

    assert [io.errno for io in seen] == [errno.ENXIO] * FAILURES_MAX
