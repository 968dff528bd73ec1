"""Handlers of the commands that both engines must agree on before they are answered. Pure."""

from typing import TYPE_CHECKING

from reference_router.alua import GROUPS_LIST_MAX_BYTES, parse_groups
from reference_router.reservation_data import LIST_BYTES, LIST_MAX_BYTES, OutAction, parse_out
from reference_router.reservations import check_out
from reference_router.scsi import GOOD, LIST_LENGTH_ERROR, Ask, Response, invalid_field
from reference_router.service_state import Nexus, ServiceRequest
from reference_router.transfers import DataOut

if TYPE_CHECKING:
    from reference_router.device_server import DeviceServer


def persistent_reserve_out(
    server: "DeviceServer", cdb: bytes, host: str, data_out: DataOut
) -> Response | Ask:
    """PERSISTENT RESERVE OUT (SPC-4 6.16): what no state could make right is refused here."""
    refused = check_out(cdb)
    if refused is not None:
        return refused
    length = int.from_bytes(cdb[5:9], "big")
    if not LIST_BYTES <= length <= LIST_MAX_BYTES:
        return LIST_LENGTH_ERROR
    parameters = data_out(length)
    if len(parameters) < length:
        return LIST_LENGTH_ERROR
    parsed = parse_out(OutAction(cdb[1] & 0x1F), parameters)
    if isinstance(parsed, Response):
        return parsed
    return _ask(server, host, cdb[:10], parameters)


def set_target_port_groups(
    server: "DeviceServer", cdb: bytes, host: str, data_out: DataOut
) -> Response | Ask:
    """SET TARGET PORT GROUPS (SPC-4 6.37). An empty list is GOOD and changes nothing."""
    length = int.from_bytes(cdb[6:10], "big")
    if length == 0:
        return GOOD
    if length > GROUPS_LIST_MAX_BYTES:
        return invalid_field(6)
    parameters = data_out(length)
    if len(parameters) < length:
        return LIST_LENGTH_ERROR
    parsed = parse_groups(parameters, server.engines)
    if isinstance(parsed, Response):
        return parsed
    return _ask(server, host, cdb[:12], parameters)


def reserve(server: "DeviceServer", cdb: bytes, host: str, _data: DataOut) -> Ask:
    """RESERVE(6) and (10) (SPC-2 7.21, 7.22), of the whole unit and for the sender itself."""
    return _ask(server, host, cdb[:10], b"")


def release(server: "DeviceServer", cdb: bytes, host: str, _data: DataOut) -> Response | Ask:
    """RELEASE(6) and (10) (SPC-2 7.17, 7.18): nothing to agree on if nothing is held."""
    service = server.service
    if not service.registrations and service.legacy != Nexus(host, server.engine_id):
        return GOOD
    return _ask(server, host, cdb[:10], b"")


def _ask(server: "DeviceServer", host: str, cdb: bytes, parameters: bytes) -> Ask:
    request = ServiceRequest(
        host=host, engine=server.engine_id, cdb=cdb, parameters=bytes(parameters)
    )
    return Ask(request)
