"""The table of all commands: what dispatches them and what REPORT SUPPORTED OPERATION CODES tells.

A bit that is 0 in a row's usage is refused when it is set, so the usage map is the truth. Groups of
columns: CDB usage (SPC-4 6.33.3), reservation conflicts (SPC-4 tables 51 and 52, SBC-3 table 13),
asymmetric access (SPC-4 5.15.2.4), unit attentions (SAM-5 5.14).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reference_router import agreements, reports, supported, transfers
from reference_router.conflicts import Conflict
from reference_router.reservation_data import TYPED_ACTIONS, InAction, OutAction
from reference_router.scsi import Ask, Op, Response, Transfer
from reference_router.service_state import AccessState
from reference_router.transfers import SHAPE_10, SHAPE_12, SHAPE_16, DataOut, transfer

if TYPE_CHECKING:
    from reference_router.device_server import DeviceServer

_CDB_BYTES = 16
_ACTION = 0x1F
_OLD_LUN = 0xE0  # SCSI-2 put the LUN there, and Linux still does when it looks for a new disk
_READ, _WRITE = Conflict.READ, Conflict.WRITE
_NEVER, _STATUS, _PERSISTENT = Conflict.NEVER, Conflict.STATUS, Conflict.PERSISTENT
_STANDBY, _ALWAYS = AccessState.STANDBY, AccessState.UNAVAILABLE

Answer = Response | Transfer | Ask
Handler = Callable[["DeviceServer", bytes, str, DataOut], Answer]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A command. `usage` is as long as its CDB; `served_in` is the last access state it works in.

    `action` is its service action, if its operation code has any. `waits` tells that it is NOT
    READY while the unit does not serve; `attends` that it reports unit attentions. `refused` has
    the bits that may not be set, of a CDB of 16 bytes as one number.
    """

    name: str
    usage: bytes
    action: int | None
    conflict: Conflict
    served_in: AccessState
    waits: bool
    attends: bool
    refused: int
    handler: Handler

    @property
    def operation_code(self) -> int:
        """The first byte of its CDB."""
        return self.usage[0]


def _row(
    name: str,
    usage: str,
    conflict: Conflict,
    handler: Handler,
    *,
    action: bool = False,
    served_in: AccessState = AccessState.ACTIVE_NON_OPTIMIZED,
    waits: bool = True,
    attends: bool = True,
    ignored: str = "",
) -> Row:
    """Return a row. `usage` and `ignored` are hexadecimal; the latter has bits of no meaning."""
    used = bytes.fromhex(usage)
    accepted = bytearray(_CDB_BYTES)
    accepted[: len(used)] = used
    for index, bits in enumerate(bytes.fromhex(ignored)):
        accepted[index] |= bits
    accepted[0] = 0xFF
    if action:
        accepted[1] |= _ACTION
    if len(used) == 6:
        accepted[1] |= _OLD_LUN
    accepted[len(used) :] = b"\xff" * (_CDB_BYTES - len(used))
    return Row(
        name=name,
        usage=used,
        action=used[1] & _ACTION if action else None,
        conflict=conflict,
        served_in=served_in,
        waits=waits,
        attends=attends,
        refused=int.from_bytes(bytes(each ^ 0xFF for each in accepted), "big"),
        handler=handler,
    )


def _about(
    name: str,
    usage: str,
    conflict: Conflict,
    handler: Handler,
    served_in: AccessState,
    *,
    action: bool = False,
    attends: bool = True,
) -> Row:
    """Return the row of a command about the unit that is answered also while it does not serve."""
    return _row(
        name,
        usage,
        conflict,
        handler,
        action=action,
        served_in=served_in,
        waits=False,
        attends=attends,
    )


def _reserve_in(action: InAction) -> Row:
    return _row(
        f"PERSISTENT RESERVE IN {action.name.replace('_', ' ')}",
        f"5e {action:02x} 00 00 00 00 00 ff ff 00",
        _PERSISTENT,
        reports.persistent_reserve_in,
        action=True,
        served_in=_STANDBY,
    )


def _reserve_out(action: OutAction) -> Row:
    """SCOPE and TYPE are ignored, rather than refused, where they have no meaning."""
    scope_and_type = "0f" if action in TYPED_ACTIONS else "00"
    return _row(
        f"PERSISTENT RESERVE OUT {action.name.replace('_', ' ')}",
        f"5f {action:02x} {scope_and_type} 00 00 ff ff ff ff 00",
        _PERSISTENT,
        agreements.persistent_reserve_out,
        action=True,
        served_in=_STANDBY,
        ignored="" if action in TYPED_ACTIONS else "00 00 ff",
    )


_LBA_10, _LBA_16 = "ff ff ff ff", "ff ff ff ff ff ff ff ff"


def _wide(name: str, width: int, code: int, flags: int, op: Op, checked: Op | None = None) -> Row:
    """Return the row of a transfer of 10, 12 or 16 bytes; `flags` are those of byte 1."""
    start = f"{code:02x} {flags:02x}"
    shape, usage = {
        10: (SHAPE_10, f"{start} {_LBA_10} 00 ff ff 00"),
        12: (SHAPE_12, f"{start} {_LBA_10} ff ff ff ff 00 00"),
        16: (SHAPE_16, f"{start} {_LBA_16} ff ff ff ff 00 00"),
    }[width]
    conflict = _READ if op in (Op.READ, Op.VERIFY) else _WRITE
    return _row(f"{name}({width})", usage, conflict, transfer(shape, op, checked=checked))


_DPO_FUA, _DPO_BYTCHK = 0x18, 0x12
_VERIFY = Op.VERIFY, Op.COMPARE
_WRITE_AND_VERIFY = Op.WRITE_AND_VERIFY, Op.WRITE_AND_COMPARE

_MEDIUM = (
    _row("READ(6)", "08 1f ff ff ff 00", _READ, transfers.transfer_6(Op.READ)),
    _row("WRITE(6)", "0a 1f ff ff ff 00", _WRITE, transfers.transfer_6(Op.WRITE)),
    _wide("READ", 10, 0x28, _DPO_FUA, Op.READ),
    _wide("WRITE", 10, 0x2A, _DPO_FUA, Op.WRITE),
    _wide("WRITE AND VERIFY", 10, 0x2E, _DPO_BYTCHK, *_WRITE_AND_VERIFY),
    _wide("VERIFY", 10, 0x2F, _DPO_BYTCHK, *_VERIFY),
    _wide("READ", 12, 0xA8, _DPO_FUA, Op.READ),
    _wide("WRITE", 12, 0xAA, _DPO_FUA, Op.WRITE),
    _wide("WRITE AND VERIFY", 12, 0xAE, _DPO_BYTCHK, *_WRITE_AND_VERIFY),
    _wide("VERIFY", 12, 0xAF, _DPO_BYTCHK, *_VERIFY),
    _wide("READ", 16, 0x88, _DPO_FUA, Op.READ),
    _wide("WRITE", 16, 0x8A, _DPO_FUA, Op.WRITE),
    _wide("WRITE AND VERIFY", 16, 0x8E, _DPO_BYTCHK, *_WRITE_AND_VERIFY),
    _wide("VERIFY", 16, 0x8F, _DPO_BYTCHK, *_VERIFY),
    _row(
        "COMPARE AND WRITE",
        f"89 18 {_LBA_16} 00 00 00 ff 00 00",
        _WRITE,
        transfers.compare_and_write,
    ),
    _row(
        "WRITE SAME(10)",
        f"41 08 {_LBA_10} 00 ff ff 00",
        _WRITE,
        transfers.write_same(SHAPE_10),
    ),
    _row(
        "WRITE SAME(16)",
        f"93 09 {_LBA_16} ff ff ff ff 00 00",
        _WRITE,
        transfers.write_same(SHAPE_16),
    ),
    _row("UNMAP", "42 00 00 00 00 00 00 ff ff 00", _WRITE, transfers.unmap),
    _row(
        "SYNCHRONIZE CACHE(10)",
        f"35 02 {_LBA_10} 00 ff ff 00",
        _WRITE,
        transfers.synchronize_cache(SHAPE_10),
        ignored="00 04",  # SYNC_NV, obsolete
    ),
    _row(
        "SYNCHRONIZE CACHE(16)",
        f"91 02 {_LBA_16} ff ff ff ff 00 00",
        _WRITE,
        transfers.synchronize_cache(SHAPE_16),
        ignored="00 04",
    ),
)
_ABOUT = (
    _row("TEST UNIT READY", "00 00 00 00 00 00", _STATUS, reports.unit_is_ready),
    _row("START STOP UNIT", "1b 01 00 00 01 00", _STATUS, reports.start_stop_unit),
    _about(
        "REQUEST SENSE",
        "03 01 00 00 ff 00",
        _NEVER,
        reports.request_sense,
        _ALWAYS,
        attends=False,
    ),
    _about("INQUIRY", "12 01 ff ff ff 00", _NEVER, reports.inquiry, _ALWAYS, attends=False),
    _about(
        "REPORT LUNS",
        "a0 00 ff 00 00 00 ff ff ff ff 00 00",
        _NEVER,
        reports.report_luns,
        _ALWAYS,
        attends=False,
    ),
    _about("MODE SENSE(6)", "1a 08 ff ff ff 00", _READ, reports.mode_sense_6, _STANDBY),
    _about(
        "MODE SENSE(10)", "5a 18 ff ff 00 00 00 ff ff 00", _READ, reports.mode_sense_10, _STANDBY
    ),
    _about(
        "READ CAPACITY(10)",
        f"25 00 {_LBA_10} 00 00 01 00",
        _STATUS,
        reports.read_capacity_10,
        _STANDBY,
    ),
    _about(
        "READ CAPACITY(16)",
        "9e 10 00 00 00 00 00 00 00 00 ff ff ff ff 00 00",
        _STATUS,
        reports.read_capacity_16,
        _STANDBY,
        action=True,
    ),
    _about(
        "REPORT TARGET PORT GROUPS",
        "a3 2a 00 00 00 00 ff ff ff ff 00 00",
        _NEVER,
        reports.report_target_port_groups,
        _ALWAYS,
        action=True,
    ),
    _about(
        "REPORT SUPPORTED OPERATION CODES",
        "a3 0c 87 ff ff ff ff ff ff ff 00 00",
        _READ,
        lambda _server, cdb, _host, _data: supported.report_operation_codes(COMMANDS, cdb),
        _STANDBY,
        action=True,
    ),
    _about(
        "REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS",
        "a3 0d 80 00 00 00 ff ff ff ff 00 00",
        _READ,
        reports.report_task_management,
        _STANDBY,
        action=True,
    ),
)
_AGREED = (
    *(_reserve_in(action) for action in InAction),
    *(_reserve_out(action) for action in OutAction),
    _row("RESERVE(6)", "16 00 00 00 00 00", _STATUS, agreements.reserve),
    _row("RESERVE(10)", "56 00 00 00 00 00 00 00 00 00", _STATUS, agreements.reserve),
    _row("RELEASE(6)", "17 00 00 00 00 00", _NEVER, agreements.release),
    _row("RELEASE(10)", "57 00 00 00 00 00 00 00 00 00", _NEVER, agreements.release),
    _row(
        "SET TARGET PORT GROUPS",
        "a4 0a 00 00 00 00 ff ff ff ff 00 00",
        _WRITE,
        agreements.set_target_port_groups,
        action=True,
        served_in=_ALWAYS,
    ),
)
COMMANDS: tuple[Row, ...] = tuple(
    sorted((*_MEDIUM, *_ABOUT, *_AGREED), key=lambda row: (row.operation_code, row.action or 0))
)
"""All commands, by operation code and service action."""

BY_CODE: dict[int, Row] = {row.operation_code: row for row in COMMANDS if row.action is None}
"""The commands whose operation code says all."""

BY_ACTION: dict[tuple[int, int], Row] = {
    (row.operation_code, row.action): row for row in COMMANDS if row.action is not None
}
"""The others, by operation code and service action."""

CODES_WITH_ACTIONS = frozenset(code for code, _ in BY_ACTION)
