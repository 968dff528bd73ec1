"""REPORT SUPPORTED OPERATION CODES: the command table, as data (SPC-4 6.33). Pure."""

from collections.abc import Sequence
from typing import Protocol

from reference_router.scsi import Response, invalid_field

_RCTD, _OPTIONS = 0x80, 0x07
_ALL, _ONE, _ONE_WITH_ACTION, _ONE_EITHER = 0, 1, 2, 3  # REPORTING OPTIONS
_SERVACTV, _CTDP_ALL, _CTDP_ONE = 0x01, 0x02, 0x80
_NOT_SUPPORTED, _SUPPORTED = 1, 3  # as the standard has it
_TIMEOUTS = bytes((0, 0x0A)) + bytes(10)  # a timeouts descriptor that indicates none (6.33.4)


class Command(Protocol):
    """What is told of a command."""

    @property
    def operation_code(self) -> int:
        """The operation code."""

    @property
    def action(self) -> int | None:
        """The service action, None if its operation code has none."""

    @property
    def usage(self) -> bytes:
        """The CDB usage data, as long as the CDB."""


def report_operation_codes(commands: Sequence[Command], cdb: bytes) -> Response:
    """Answer REPORT SUPPORTED OPERATION CODES in each of its reporting options."""
    option, timeouts = cdb[2] & _OPTIONS, bool(cdb[2] & _RCTD)
    code, action = cdb[3], int.from_bytes(cdb[4:6], "big")
    if option == _ALL:
        body = b"".join(_entry(command, timeouts=timeouts) for command in commands)
        data = len(body).to_bytes(4, "big") + body
        return Response(data=data[: int.from_bytes(cdb[6:10], "big")])
    if option > _ONE_EITHER:
        return invalid_field(2)
    of_code = [command for command in commands if command.operation_code == code]
    has_actions = any(command.action is not None for command in of_code)
    if option == _ONE and has_actions:
        return invalid_field(2)
    if option == _ONE_WITH_ACTION and of_code and not has_actions:
        return invalid_field(2)
    wanted = None if option == _ONE else action
    found = [each for each in of_code if wanted is None or (each.action or 0) == wanted]
    data = _one(found[0] if found else None, timeouts=timeouts)
    return Response(data=data[: int.from_bytes(cdb[6:10], "big")])


def _entry(command: Command, *, timeouts: bool) -> bytes:
    flags = 0 if command.action is None else _SERVACTV
    if timeouts:
        flags |= _CTDP_ALL
    action, length = command.action or 0, len(command.usage)
    head = bytes((command.operation_code, 0)) + action.to_bytes(2, "big")
    entry = head + bytes((0, flags)) + length.to_bytes(2, "big")
    return entry + (_TIMEOUTS if timeouts else b"")


def _one(command: Command | None, *, timeouts: bool) -> bytes:
    if command is None:
        return bytes((0, _NOT_SUPPORTED, 0, 0))
    flags = _SUPPORTED | (_CTDP_ONE if timeouts else 0)
    head = bytes((0, flags)) + len(command.usage).to_bytes(2, "big")
    return head + command.usage + (_TIMEOUTS if timeouts else b"")
