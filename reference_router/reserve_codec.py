"""PERSISTENT RESERVE IN and OUT to a leg: bytes out of a Control, its result out of answers. Pure.

Command descriptor blocks and parameter data are SPC-4 6.15 and 6.16, sense data is SPC-4 4.5.
"""

import struct
from dataclasses import dataclass

from reference_router.keys import (
    WRITE_EXCLUSIVE_ALL_REGISTRANTS,
    Control,
    ControlOp,
    ControlResult,
    Outcome,
)
from reference_router.reservation_data import InAction, OutAction
from reference_router.scsi import OperationCode, SenseKey, Status

_OUT_ACTION = {
    ControlOp.REGISTER: OutAction.REGISTER,
    ControlOp.RESERVE: OutAction.RESERVE,
    ControlOp.CLEAR: OutAction.CLEAR,
    ControlOp.PREEMPT_AND_ABORT: OutAction.PREEMPT_AND_ABORT,
    ControlOp.REGISTER_AND_IGNORE: OutAction.REGISTER_AND_IGNORE_EXISTING_KEY,
}
_REGISTERS = (ControlOp.REGISTER, ControlOp.REGISTER_AND_IGNORE)
_TYPED = (ControlOp.RESERVE, ControlOp.PREEMPT_AND_ABORT)
_APTPL = 0x01  # activate persist through power loss: the keys outlive the array's power
_CDB_IN = struct.Struct(">BB5xHB")
_CDB_OUT = struct.Struct(">BBBxxIB")
_PARAMETERS = struct.Struct(">QQ4xB3x")  # SPC-4 6.16.3; 24 bytes
_HEADER = struct.Struct(">II")  # PRGENERATION, ADDITIONAL LENGTH
_RESERVATION = struct.Struct(">QIxB2x")  # SPC-4 6.15.3
_KEY_BYTES = 8
_KEYS_BYTES_MAX = 2048  # room for 255 keys
_RESERVATION_BYTES = _HEADER.size + _RESERVATION.size
_TYPE_MASK = 0x0F

_FIXED_RESPONSES, _DESCRIPTOR_RESPONSES = (0x70, 0x71), (0x72, 0x73)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiCommand:
    """A command to a leg: with parameters out, or with room for `answer_bytes` of data in."""

    cdb: bytes
    parameters: bytes = b""
    answer_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScsiEnd:
    """How a command ended. `failure` says why it has no status: it did not reach the array."""

    status: int = Status.GOOD
    sense: bytes = b""
    answer: bytes = b""
    failure: str = ""

    @property
    def unit_attention(self) -> bool:
        """Tell whether the command was not executed, but told of an event before it."""
        if self.failure or self.status != Status.CHECK_CONDITION:
            return False
        words = _sense_words(self.sense)
        return words is not None and words[0] == SenseKey.UNIT_ATTENTION


def commands_of(control: Control, *, aborts: bool) -> tuple[ScsiCommand, ...]:
    """Return the commands that carry out a control command, in order.

    `aborts` is False for a leg whose array must not be asked to abort: PREEMPT goes instead.
    """
    if control.op is ControlOp.READ_KEYS:
        return (
            _in(InAction.READ_KEYS, _KEYS_BYTES_MAX),
            _in(InAction.READ_RESERVATION, _RESERVATION_BYTES),
        )
    action = _OUT_ACTION[control.op]
    if control.op is ControlOp.PREEMPT_AND_ABORT and not aborts:
        action = OutAction.PREEMPT
    scope_and_type = WRITE_EXCLUSIVE_ALL_REGISTRANTS if control.op in _TYPED else 0
    flags = _APTPL if control.op in _REGISTERS else 0
    return (
        ScsiCommand(
            cdb=_CDB_OUT.pack(
                OperationCode.PERSISTENT_RESERVE_OUT, action, scope_and_type, _PARAMETERS.size, 0
            ),
            parameters=_PARAMETERS.pack(control.key, control.other, flags),
        ),
    )


def result_of(control: Control, ends: list[ScsiEnd]) -> ControlResult:
    """Return what the ends of a control command's commands mean. The last may be a bad one."""
    for end in ends:
        if end.failure or end.status != Status.GOOD:
            return _bad_end(end)
    if control.op is not ControlOp.READ_KEYS:
        return ControlResult(outcome=Outcome.GOOD)
    keys, reservation = (end.answer for end in ends)
    try:
        return ControlResult(
            outcome=Outcome.GOOD,
            keys=_keys(keys),
            reservation_type=_reservation_type(reservation),
        )
    except ValueError as error:
        return error_result(str(error))


def error_result(why: str) -> ControlResult:
    """Return the result of a control command that went wrong."""
    return ControlResult(outcome=Outcome.ERROR, why=why)


def _in(action: InAction, size: int) -> ScsiCommand:
    return ScsiCommand(
        cdb=_CDB_IN.pack(OperationCode.PERSISTENT_RESERVE_IN, action, size, 0), answer_bytes=size
    )


def _bad_end(end: ScsiEnd) -> ControlResult:
    if end.failure:
        return error_result(end.failure)
    if end.status == Status.RESERVATION_CONFLICT:
        return ControlResult(outcome=Outcome.CONFLICT)
    if end.status != Status.CHECK_CONDITION:
        return error_result(f"status {_status_name(end.status)}")
    words = _sense_words(end.sense)
    if words is None:
        return error_result(f"CHECK CONDITION with sense data {end.sense.hex() or 'missing'}")
    return error_result("CHECK CONDITION, sense {:x}/{:02x}/{:02x}".format(*words))


def _status_name(status: int) -> str:
    try:
        return Status(status).name.replace("_", " ")
    except ValueError:
        return f"{status:#04x}"


def _sense_words(sense: bytes) -> tuple[int, int, int] | None:
    """Return sense key, additional sense code and qualifier; None if they are not all there."""
    response = sense[0] & 0x7F if sense else 0
    if response in _DESCRIPTOR_RESPONSES and len(sense) >= 4:
        return sense[1] & 0xF, sense[2], sense[3]
    if response in _FIXED_RESPONSES and len(sense) >= 14:
        return sense[2] & 0xF, sense[12], sense[13]
    return None


def _keys(answer: bytes) -> tuple[int, ...]:
    body = _body(answer, "READ KEYS", room=_KEYS_BYTES_MAX)
    if len(body) % _KEY_BYTES:
        raise ValueError(f"READ KEYS: {len(body)} bytes are no list of keys")
    return tuple(key for (key,) in struct.iter_unpack(">Q", body))


def _reservation_type(answer: bytes) -> int | None:
    body = _body(answer, "READ RESERVATION", room=_RESERVATION_BYTES)
    if not body:
        return None
    if len(body) != _RESERVATION.size:
        raise ValueError(f"READ RESERVATION: expected 0 or 16 bytes, seen {len(body)}")
    _, _, scope_and_type = _RESERVATION.unpack(body)
    return int(scope_and_type) & _TYPE_MASK


def _body(answer: bytes, name: str, *, room: int) -> bytes:
    if len(answer) < _HEADER.size:
        raise ValueError(f"{name}: expected at least 8 bytes, seen {len(answer)}")
    _, size = _HEADER.unpack_from(answer)
    if size > room - _HEADER.size:
        raise ValueError(f"{name}: the array has {size} bytes, expected {room - 8} at most")
    body = answer[_HEADER.size : _HEADER.size + size]
    if len(body) < size:
        raise ValueError(f"{name}: expected {size} bytes after the header, seen {len(body)}")
    return body
