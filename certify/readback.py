"""Read every block that was written back through one path, past multipath, by SG_IO."""

import errno
import time
from collections.abc import Iterable

from certify import cdb, sg
from certify.deadline import Clock
from certify.devices import PathDevice
from certify.health import settle
from certify.ledger import BLOCK_BYTES, SECTORS_PER_BLOCK
from certify.path_probes import outcome_of
from certify.probes import Emit
from certify.scsi import Completion
from certify.tags import SECTOR_BYTES, observe
from reports.record import IoOutcome, IoRecord

TIMEOUT_MS = 10_000
FAILURES_MAX = 16
"""After so many failed reads a path is given up: the verdict is clear, and each may take long."""


def read_back(
    path: PathDevice, lbas: Iterable[int], *, run: int, emit: Emit, clock: Clock = time.monotonic_ns
) -> int:
    """Read the blocks at *lbas* (512-byte sectors) and record each; return the sectors read.

    Raises OSError when the path cannot be opened. Failed reads are records, not exceptions.
    """
    sectors = failures = 0
    with sg.opened(path.disk.sg_device, nonblocking=True) as descriptor:
        settle(descriptor)
        for k, lba in enumerate(lbas):
            due_ns = clock()
            record = _read(descriptor, path, k, lba, due_ns, run, clock)
            emit(record)
            if record.outcome is IoOutcome.GOOD:
                sectors += record.blocks
                continue
            failures += 1
            if failures == FAILURES_MAX:
                break
    return sectors


def _read(
    descriptor: int, path: PathDevice, k: int, lba: int, due_ns: int, run: int, clock: Clock
) -> IoRecord:
    block_bytes = path.disk.block_bytes
    command = cdb.read(lba * SECTOR_BYTES // block_bytes, BLOCK_BYTES // block_bytes, width=16)
    try:
        ended = sg.execute(
            descriptor, command, data_in_length=BLOCK_BYTES, timeout_ms=TIMEOUT_MS, clock=clock
        )
    except OSError as error:
        return _record(path, k, lba, due_ns, clock(), IoOutcome.ERROR, code=error.errno or 0)
    outcome = outcome_of(ended)
    if outcome is IoOutcome.GOOD and len(ended.data) != BLOCK_BYTES:
        return _record(path, k, lba, due_ns, ended.done_ns, IoOutcome.ERROR, code=errno.EIO)
    return _answered(path, k, lba, due_ns, run, ended, outcome)


def _answered(
    path: PathDevice,
    k: int,
    lba: int,
    due_ns: int,
    run: int,
    ended: Completion,
    outcome: IoOutcome,
) -> IoRecord:
    good = outcome is IoOutcome.GOOD
    tag, sectors = observe(ended.data, lba, run=run) if good else (-1, "")
    return _record(
        path,
        k,
        lba,
        due_ns,
        ended.done_ns,
        outcome,
        status=ended.status,
        sense=ended.sense_code,
        tag=tag,
        sectors=sectors,
    )


def _record(
    path: PathDevice,
    k: int,
    lba: int,
    due_ns: int,
    done_ns: int,
    outcome: IoOutcome,
    *,
    code: int = 0,
    status: int = -1,
    sense: str = "",
    tag: int = -1,
    sectors: str = "",
) -> IoRecord:
    return IoRecord(
        probe=f"readback:{path.path}",
        k=k,
        op="read",
        lba=lba,
        blocks=SECTORS_PER_BLOCK,
        due_ns=due_ns,
        sent_ns=due_ns,
        done_ns=done_ns,
        outcome=outcome,
        errno=code,
        status=status,
        sense=sense,
        tag=tag,
        sectors=sectors,
    )
