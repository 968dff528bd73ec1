"""Handlers of the commands that touch the medium (SBC-3 clause 5). Pure.

Bits and fields that are reserved have been refused before. A handler returns a Transfer that is
inside the medium and inside the limits of VPD page B0h, or the response that ends the command.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from reference_router.inquiry import UNMAP_DESCRIPTORS_MAX
from reference_router.scsi import (
    GOOD,
    LBA_OUT_OF_RANGE,
    LIST_LENGTH_ERROR,
    Fill,
    Op,
    Response,
    Transfer,
    check_condition,
    invalid_field,
    invalid_parameter,
)

if TYPE_CHECKING:
    from reference_router.device_server import DeviceServer

_BYTCHK = 0x02  # the low bit of BYTCHK; the high one is refused, as 10b and 11b are
_NDOB = 0x01
_READS_ONLY = (Op.READ, Op.VERIFY)
_UNMAP_HEADER_BYTES, _UNMAP_DESCRIPTOR_BYTES = 8, 16

DataOut = Callable[[int], bytes]
Done = Response | Transfer
TransferHandler = Callable[["DeviceServer", bytes, str, DataOut], Done]


class Shape(NamedTuple):
    """Where a CDB has its LBA and its number of blocks: first byte and the byte after the last."""

    lba: tuple[int, int]
    blocks: tuple[int, int]


SHAPE_10 = Shape((2, 6), (7, 9))
SHAPE_12 = Shape((2, 6), (6, 10))
SHAPE_16 = Shape((2, 10), (10, 14))


def transfer(shape: Shape, op: Op, *, checked: Op | None = None) -> TransferHandler:
    """Return a handler of READ, WRITE, VERIFY or WRITE AND VERIFY of one width.

    `checked` is what to do instead if BYTCHK is 01b.
    """
    (lba_start, lba_stop), (start, stop) = shape

    def handle(server: "DeviceServer", cdb: bytes, _host: str, _data_out: DataOut) -> Done:
        lba = int.from_bytes(cdb[lba_start:lba_stop], "big")
        blocks = int.from_bytes(cdb[start:stop], "big")
        does = op if checked is None or not cdb[1] & _BYTCHK else checked
        return _transfer(server, does, lba, blocks, start)

    return handle


def transfer_6(op: Op) -> TransferHandler:
    """Return a handler of READ(6) or WRITE(6): 21 bits of LBA, and 0 means 256 blocks."""

    def handle(server: "DeviceServer", cdb: bytes, _host: str, _data_out: DataOut) -> Done:
        lba = int.from_bytes(cdb[1:4], "big") & 0x1FFFFF
        return _transfer(server, op, lba, cdb[4] or 256, 4)

    return handle


def _transfer(server: "DeviceServer", op: Op, lba: int, blocks: int, field: int) -> Done:
    if lba + blocks > server.blocks:
        return _out_of_range(server, lba)
    if blocks > server.identity.max_transfer_blocks:
        return invalid_field(field)
    if blocks == 0:
        return GOOD
    return Transfer(op, lba, blocks, Fill.DATA, 0 if op in _READS_ONLY else blocks)


def compare_and_write(server: "DeviceServer", cdb: bytes, _host: str, _data_out: DataOut) -> Done:
    """COMPARE AND WRITE (SBC-3 5.2): data-out has the blocks to compare, then those to write."""
    lba, blocks = int.from_bytes(cdb[2:10], "big"), cdb[13]
    if lba + blocks > server.blocks:
        return _out_of_range(server, lba)
    if blocks > server.identity.max_compare_and_write_blocks:
        return invalid_field(13)
    if blocks == 0:
        return GOOD
    return Transfer(Op.COMPARE_AND_WRITE, lba, blocks, Fill.DATA, 2 * blocks)


def write_same(shape: Shape) -> TransferHandler:
    """Return a handler of WRITE SAME of one width (SBC-3 5.43): WSNZ, so never up to the end.

    UNMAP changes nothing: what is written reads the same either way.
    """
    (lba_start, lba_stop), (start, stop) = shape

    def handle(server: "DeviceServer", cdb: bytes, _host: str, _data_out: DataOut) -> Done:
        lba = int.from_bytes(cdb[lba_start:lba_stop], "big")
        blocks = int.from_bytes(cdb[start:stop], "big")
        if blocks == 0:
            return invalid_field(start)
        if lba + blocks > server.blocks:
            return _out_of_range(server, lba)
        if blocks > server.identity.max_write_same_blocks:
            return invalid_field(start)
        if cdb[1] & _NDOB:
            return Transfer(Op.WRITE, lba, blocks, Fill.ZERO, 0)
        return Transfer(Op.WRITE, lba, blocks, Fill.REPEAT, 1)

    return handle


def unmap(server: "DeviceServer", cdb: bytes, _host: str, data_out: DataOut) -> Done:
    """UNMAP (SBC-3 5.28): the blocks are written with zeros, for both legs must read the same."""
    length = int.from_bytes(cdb[7:9], "big")
    if length == 0:
        return GOOD
    data = data_out(min(length, _UNMAP_HEADER_BYTES + _UNMAP_DESCRIPTOR_BYTES))
    if length < _UNMAP_HEADER_BYTES or len(data) < _UNMAP_HEADER_BYTES:
        return LIST_LENGTH_ERROR
    said = int.from_bytes(data[2:4], "big")
    descriptors = said // _UNMAP_DESCRIPTOR_BYTES  # an incomplete one is ignored (5.28.2)
    if length < _UNMAP_HEADER_BYTES + said:
        return LIST_LENGTH_ERROR
    if descriptors > UNMAP_DESCRIPTORS_MAX:
        return invalid_parameter(2)
    if descriptors == 0:
        return GOOD
    if len(data) < _UNMAP_HEADER_BYTES + _UNMAP_DESCRIPTOR_BYTES:
        return LIST_LENGTH_ERROR
    lba, blocks = int.from_bytes(data[8:16], "big"), int.from_bytes(data[16:20], "big")
    if lba + blocks > server.blocks:
        return _out_of_range(server, lba)
    if blocks > server.identity.max_write_same_blocks:
        return invalid_parameter(16)
    return Transfer(Op.WRITE, lba, blocks, Fill.ZERO, 0) if blocks else GOOD


def synchronize_cache(shape: Shape) -> TransferHandler:
    """Return a handler of SYNCHRONIZE CACHE of one width.

    GOOD at once: every write is on the medium of every in-sync leg before its own GOOD.
    """
    (lba_start, lba_stop), (start, stop) = shape

    def handle(server: "DeviceServer", cdb: bytes, _host: str, _data_out: DataOut) -> Done:
        lba = int.from_bytes(cdb[lba_start:lba_stop], "big")
        if lba + int.from_bytes(cdb[start:stop], "big") > server.blocks:
            return _out_of_range(server, lba)
        return GOOD

    return handle


def _out_of_range(server: "DeviceServer", lba: int) -> Response:
    """INFORMATION is the first block that is not there (SBC-3 4.18.2)."""
    return check_condition(LBA_OUT_OF_RANGE, information=max(lba, server.blocks))
