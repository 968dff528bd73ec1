"""Handlers of the commands that ask a logical unit about itself (SPC-4 clause 6, SBC-3). Pure."""

from typing import TYPE_CHECKING

from reference_router import alua, mode_pages
from reference_router.inquiry import standard_inquiry, vital_product_data
from reference_router.reservation_data import (
    InAction,
    read_full_status,
    read_keys,
    read_reservation,
    report_capabilities,
)
from reference_router.scsi import (
    BLOCK_BYTES,
    GOOD,
    SAVING_NOT_SUPPORTED,
    Response,
    check_condition,
    invalid_field,
)
from reference_router.transfers import DataOut

if TYPE_CHECKING:
    from reference_router.device_server import DeviceServer

_EVPD = 0x01
_DESC = 0x01
_PMI = 0x01
_START = 0x01
_DBD, _LLBAA = 0x08, 0x10
_REPD = 0x80
_SHORT_CAPACITY_LIMIT = 0xFFFFFFFF
_PROVISIONED = 0xC0  # LBPME, LBPRZ (SBC-3 5.16.2)
_TASK_MANAGEMENT = 0x88  # ATS, LURS: what Linux's target core does for its fabrics
_RESERVATION_DATA = {
    InAction.READ_KEYS: read_keys,
    InAction.READ_RESERVATION: read_reservation,
    InAction.REPORT_CAPABILITIES: report_capabilities,
    InAction.READ_FULL_STATUS: read_full_status,
}


def unit_is_ready(_server: "DeviceServer", _cdb: bytes, _host: str, _data: DataOut) -> Response:
    """TEST UNIT READY: what is not ready was answered before."""
    return GOOD


def start_stop_unit(_server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """Start is granted; a host may not stop what other hosts use."""
    return GOOD if cdb[4] & _START else invalid_field(4)


def request_sense(server: "DeviceServer", cdb: bytes, host: str, _data: DataOut) -> Response:
    """Report and clear a unit attention, or tell why the unit is not ready (SPC-4 6.39)."""
    sense = server.take_sense(host)
    data = sense.descriptor() if cdb[1] & _DESC else sense.fixed()
    return Response(data=data[: cdb[4]])


def inquiry(server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """INQUIRY: standard data or a vital product data page (SPC-4 6.6)."""
    if cdb[1] & _EVPD:
        data = vital_product_data(server.identity, cdb[2])
    else:
        data = standard_inquiry(server.identity) if cdb[2] == 0 else None
    if data is None:
        return invalid_field(2)
    return Response(data=data[: int.from_bytes(cdb[3:5], "big")])


def read_capacity_10(server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """READ CAPACITY(10) (SBC-3 5.15): if PMI is 0, the LBA must be too."""
    if not cdb[8] & _PMI and any(cdb[2:6]):
        return invalid_field(2)
    last = min(server.blocks - 1, _SHORT_CAPACITY_LIMIT)
    return Response(data=last.to_bytes(4, "big") + BLOCK_BYTES.to_bytes(4, "big"))


def read_capacity_16(server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """READ CAPACITY(16) (SBC-3 5.16)."""
    data = bytearray(32)
    data[0:8] = (server.blocks - 1).to_bytes(8, "big")
    data[8:12] = BLOCK_BYTES.to_bytes(4, "big")
    data[14] = _PROVISIONED
    return Response(data=bytes(data[: int.from_bytes(cdb[10:14], "big")]))


def mode_sense_6(server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """MODE SENSE(6) (SPC-4 6.11)."""
    pages = _mode_pages(cdb)
    if isinstance(pages, Response):
        return pages
    blocks = None if cdb[1] & _DBD else server.blocks
    return Response(data=mode_pages.mode_parameters_6(pages, blocks=blocks)[: cdb[4]])


def mode_sense_10(server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """MODE SENSE(10) (SPC-4 6.12)."""
    pages = _mode_pages(cdb)
    if isinstance(pages, Response):
        return pages
    blocks = None if cdb[1] & _DBD else server.blocks
    long = bool(cdb[1] & _LLBAA)
    data = mode_pages.mode_parameters_10(pages, blocks=blocks, long=long)
    return Response(data=data[: int.from_bytes(cdb[7:9], "big")])


def _mode_pages(cdb: bytes) -> bytes | Response:
    control = mode_pages.PageControl(cdb[2] >> 6)
    if control is mode_pages.PageControl.SAVED:
        return check_condition(SAVING_NOT_SUPPORTED)
    pages = mode_pages.mode_pages(cdb[2] & 0x3F, cdb[3], control)
    return invalid_field(2) if pages is None else pages


def report_luns(_server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut) -> Response:
    """REPORT LUNS: LIO answers it itself; this is for a transport that does not."""
    if cdb[2] > 0x02:
        return invalid_field(2)
    luns = b"" if cdb[2] == 0x01 else bytes(8)
    data = len(luns).to_bytes(4, "big") + bytes(4) + luns
    return Response(data=data[: int.from_bytes(cdb[6:10], "big")])


def report_target_port_groups(
    server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut
) -> Response:
    """REPORT TARGET PORT GROUPS (SPC-4 6.27)."""
    data = alua.report_groups(
        server.service,
        engines=server.engines,
        members=server.members,
        extended=bool(cdb[1] >> 5),
    )
    return Response(data=data[: int.from_bytes(cdb[6:10], "big")])


def report_task_management(
    _server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut
) -> Response:
    """REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.34): 4 bytes, with REPD 16."""
    size = 16 if cdb[2] & _REPD else 4
    allocation = int.from_bytes(cdb[6:10], "big")
    if allocation < 4:
        return invalid_field(6)
    data = bytes((_TASK_MANAGEMENT, 0, 0, size - 4)) + bytes(size - 4)
    return Response(data=data[:allocation])


def persistent_reserve_in(
    server: "DeviceServer", cdb: bytes, _host: str, _data: DataOut
) -> Response:
    """PERSISTENT RESERVE IN (SPC-4 6.15)."""
    data = _RESERVATION_DATA[InAction(cdb[1] & 0x1F)](server.service)
    return Response(data=data[: int.from_bytes(cdb[7:9], "big")])
