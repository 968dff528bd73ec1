"""The SCSI device server: a CDB becomes a response, or a transfer that the mirror must do.

Pure: it is told whether the logical unit serves and which target port groups there are.
"""

from collections.abc import Callable
from enum import IntEnum

from reference_router import mode_pages
from reference_router.inquiry import Identity, standard_inquiry, vital_product_data
from reference_router.scsi import (
    BLOCK_BYTES,
    GOOD,
    INVALID_FIELD_IN_CDB,
    INVALID_OPERATION,
    LBA_OUT_OF_RANGE,
    NO_SENSE,
    SAVING_NOT_SUPPORTED,
    OperationCode,
    Response,
    Sense,
    Transfer,
    check_condition,
)

_NACA = 0x04  # CONTROL byte; NORMACA is 0 in our INQUIRY data (SAM-5 5.2)
_PROTECT = 0xE0  # RDPROTECT, WRPROTECT: there is no protection information
_EVPD, _CMDDT = 0x01, 0x02
_READ_CAPACITY_16 = 0x10
_REPORT_TARGET_PORT_GROUPS = 0x0A
_SHORT_CAPACITY_LIMIT = 0xFFFFFFFF
_GROUP_HEADER, _GROUP_EXTENDED = 0, 1


class AccessState(IntEnum):
    """Asymmetric access states (SPC-4 table 244)."""

    ACTIVE_OPTIMIZED = 0x0
    UNAVAILABLE = 0x3


class DeviceServer:
    """Answers the commands of one logical unit through one engine's port."""

    def __init__(self, identity: Identity, *, blocks: int) -> None:
        self._identity = identity
        self._blocks = blocks
        self.not_ready: Sense | None = None
        """Why the medium is not accessible now; None while it is."""
        self.port_groups: dict[int, AccessState] = {}
        """Access state by target port group; the group id is the engine id."""
        self._handlers: dict[int, Callable[[bytes], Response | Transfer]] = {
            OperationCode.TEST_UNIT_READY: self._test_unit_ready,
            OperationCode.REQUEST_SENSE: self._request_sense,
            OperationCode.READ_6: self._transfer_6,
            OperationCode.WRITE_6: self._transfer_6,
            OperationCode.INQUIRY: self._inquiry,
            OperationCode.MODE_SENSE_6: self._mode_sense_6,
            OperationCode.START_STOP_UNIT: self._start_stop_unit,
            OperationCode.READ_CAPACITY_10: self._read_capacity_10,
            OperationCode.READ_10: self._transfer_10,
            OperationCode.WRITE_10: self._transfer_10,
            OperationCode.SYNCHRONIZE_CACHE_10: self._synchronize_cache_10,
            OperationCode.MODE_SENSE_10: self._mode_sense_10,
            OperationCode.READ_16: self._transfer_16,
            OperationCode.WRITE_16: self._transfer_16,
            OperationCode.SYNCHRONIZE_CACHE_16: self._synchronize_cache_16,
            OperationCode.SERVICE_ACTION_IN_16: self._service_action_in_16,
            OperationCode.REPORT_LUNS: self._report_luns,
            OperationCode.MAINTENANCE_IN: self._maintenance_in,
            OperationCode.READ_12: self._transfer_12,
            OperationCode.WRITE_12: self._transfer_12,
        }

    def execute(self, cdb: bytes) -> Response | Transfer:
        """Decode `cdb` (16 bytes, shorter CDBs padded) and answer it.

        A Transfer is inside the medium and inside the transfer limit, and is not empty.
        """
        handler = self._handlers.get(cdb[0])
        if handler is None:
            return INVALID_OPERATION
        return handler(cdb)

    def _transfer_6(self, cdb: bytes) -> Response | Transfer:
        if cdb[5] & _NACA:
            return _invalid_field(5)
        lba = int.from_bytes(cdb[1:4], "big") & 0x1FFFFF
        return self._transfer(cdb[0] == OperationCode.WRITE_6, lba, cdb[4] or 256, 4)

    def _transfer_10(self, cdb: bytes) -> Response | Transfer:
        if cdb[1] & _PROTECT:
            return _invalid_field(1)
        if cdb[9] & _NACA:
            return _invalid_field(9)
        lba = int.from_bytes(cdb[2:6], "big")
        blocks = cdb[7] << 8 | cdb[8]
        return self._transfer(cdb[0] == OperationCode.WRITE_10, lba, blocks, 7)

    def _transfer_12(self, cdb: bytes) -> Response | Transfer:
        if cdb[1] & _PROTECT:
            return _invalid_field(1)
        if cdb[11] & _NACA:
            return _invalid_field(11)
        lba, blocks = int.from_bytes(cdb[2:6], "big"), int.from_bytes(cdb[6:10], "big")
        return self._transfer(cdb[0] == OperationCode.WRITE_12, lba, blocks, 6)

    def _transfer_16(self, cdb: bytes) -> Response | Transfer:
        if cdb[1] & _PROTECT:
            return _invalid_field(1)
        if cdb[15] & _NACA:
            return _invalid_field(15)
        lba, blocks = int.from_bytes(cdb[2:10], "big"), int.from_bytes(cdb[10:14], "big")
        return self._transfer(cdb[0] == OperationCode.WRITE_16, lba, blocks, 10)

    def _transfer(self, write: bool, lba: int, blocks: int, field: int) -> Response | Transfer:
        if self.not_ready is not None:
            return check_condition(self.not_ready)
        if lba + blocks > self._blocks:
            return check_condition(LBA_OUT_OF_RANGE, information=max(lba, self._blocks))
        if blocks > self._identity.max_transfer_blocks:
            return _invalid_field(field)
        if blocks == 0:
            return GOOD
        return Transfer(write, lba, blocks)

    def _synchronize_cache_10(self, cdb: bytes) -> Response | Transfer:
        lba, blocks = int.from_bytes(cdb[2:6], "big"), int.from_bytes(cdb[7:9], "big")
        return self._synchronize_cache(lba, blocks)

    def _synchronize_cache_16(self, cdb: bytes) -> Response | Transfer:
        lba, blocks = int.from_bytes(cdb[2:10], "big"), int.from_bytes(cdb[10:14], "big")
        return self._synchronize_cache(lba, blocks)

    def _synchronize_cache(self, lba: int, blocks: int) -> Response | Transfer:
        """GOOD at once: every write is on the medium of every in-sync leg before its own GOOD."""
        if self.not_ready is not None:
            return check_condition(self.not_ready)
        if lba + blocks > self._blocks:
            return check_condition(LBA_OUT_OF_RANGE, information=max(lba, self._blocks))
        return GOOD

    def _test_unit_ready(self, cdb: bytes) -> Response:
        if cdb[5] & _NACA:
            return _invalid_field(5)
        return GOOD if self.not_ready is None else check_condition(self.not_ready)

    def _start_stop_unit(self, cdb: bytes) -> Response:
        """Start is granted if the unit serves; a host may not stop what other hosts use."""
        if cdb[4] & 0xF0:
            return _invalid_field(4)  # POWER CONDITION: none are supported
        if not cdb[4] & 0x01:
            return _invalid_field(4)
        return GOOD if self.not_ready is None else check_condition(self.not_ready)

    def _request_sense(self, cdb: bytes) -> Response:
        sense = self.not_ready or NO_SENSE
        data = sense.descriptor() if cdb[1] & 0x01 else sense.fixed()
        return Response(data=data[: cdb[4]])

    def _inquiry(self, cdb: bytes) -> Response:
        if cdb[1] & _CMDDT:
            return _invalid_field(1)
        if cdb[5] & _NACA:
            return _invalid_field(5)
        if cdb[1] & _EVPD:
            data = vital_product_data(self._identity, cdb[2])
        else:
            data = standard_inquiry(self._identity) if cdb[2] == 0 else None
        if data is None:
            return _invalid_field(2)
        return Response(data=data[: int.from_bytes(cdb[3:5], "big")])

    def _read_capacity_10(self, cdb: bytes) -> Response:
        if cdb[8] & 0x01 == 0 and any(cdb[2:6]):
            return _invalid_field(2)  # PMI is 0, so the LBA must be too (SBC-3 5.15)
        last = min(self._blocks - 1, _SHORT_CAPACITY_LIMIT)
        return Response(data=last.to_bytes(4, "big") + BLOCK_BYTES.to_bytes(4, "big"))

    def _service_action_in_16(self, cdb: bytes) -> Response:
        if cdb[1] & 0x1F != _READ_CAPACITY_16:
            return _invalid_field(1)
        last = self._blocks - 1
        data = last.to_bytes(8, "big") + BLOCK_BYTES.to_bytes(4, "big") + bytes(20)
        return Response(data=data[: int.from_bytes(cdb[10:14], "big")])

    def _mode_sense_6(self, cdb: bytes) -> Response:
        pages = self._mode_pages(cdb)
        if isinstance(pages, Response):
            return pages
        blocks = None if cdb[1] & 0x08 else self._blocks
        return Response(data=mode_pages.mode_parameters_6(pages, blocks=blocks)[: cdb[4]])

    def _mode_sense_10(self, cdb: bytes) -> Response:
        pages = self._mode_pages(cdb)
        if isinstance(pages, Response):
            return pages
        blocks = None if cdb[1] & 0x08 else self._blocks
        long = bool(cdb[1] & 0x10)
        data = mode_pages.mode_parameters_10(pages, blocks=blocks, long=long)
        return Response(data=data[: int.from_bytes(cdb[7:9], "big")])

    def _mode_pages(self, cdb: bytes) -> bytes | Response:
        control = mode_pages.PageControl(cdb[2] >> 6)
        if control is mode_pages.PageControl.SAVED:
            return check_condition(SAVING_NOT_SUPPORTED)
        pages = mode_pages.mode_pages(cdb[2] & 0x3F, cdb[3], control)
        return _invalid_field(2) if pages is None else pages

    def _report_luns(self, cdb: bytes) -> Response:
        """LIO answers REPORT LUNS itself; this is for a transport that does not."""
        allocation = int.from_bytes(cdb[6:10], "big")
        if cdb[2] > 0x02:
            return _invalid_field(2)
        luns = b"" if cdb[2] == 0x01 else bytes(8)
        return Response(data=(len(luns).to_bytes(4, "big") + bytes(4) + luns)[:allocation])

    def _maintenance_in(self, cdb: bytes) -> Response:
        if cdb[1] & 0x1F != _REPORT_TARGET_PORT_GROUPS:
            return _invalid_field(1)
        parameter_format = cdb[1] >> 5
        if parameter_format not in (_GROUP_HEADER, _GROUP_EXTENDED):
            return _invalid_field(1)
        groups = b"".join(
            bytes((state, 0x09))  # supported: unavailable, active/optimized
            + group.to_bytes(2, "big")
            + bytes((0, 0, 0, 1, 0, 0))
            + group.to_bytes(2, "big")
            for group, state in sorted(self.port_groups.items())
        )
        header = bytes((0x10, 0, 0, 0)) if parameter_format == _GROUP_EXTENDED else b""
        body = header + groups
        data = len(body).to_bytes(4, "big") + body
        return Response(data=data[: int.from_bytes(cdb[6:10], "big")])


def _invalid_field(field: int) -> Response:
    return check_condition(INVALID_FIELD_IN_CDB, field=field)
