"""Defects in what a logical unit says of itself and of its ports."""

from certify.saboteurs.defect import Defect, Stage
from certify.saboteurs.values import (
    INQUIRY,
    MAINTENANCE_IN,
    REPORT_SUPPORTED_OPERATION_CODES,
    REPORT_TARGET_PORT_GROUPS,
    Command,
    Outcome,
)

PAGE_SERIAL, PAGE_IDENTIFICATION = 0x80, 0x83
RELATIVE_PORT = 0x4  # designator type (SPC-4 7.8.6.7)
STANDBY = 0x2  # asymmetric access state (SPC-4 6.37)
NOT_SUPPORTED = 0x1  # SUPPORT field of the one-command format (SPC-4 6.35.3)
COMPARE_AND_WRITE = 0x89


class Identity(Defect):
    """Changes data-in of one command; `changed` does it in place, or returns False."""

    engine = ""  # only through this engine, "" for all

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """See Defect."""
        if not outcome.good or self.engine not in ("", command.front.engine):
            return outcome
        data = bytearray(outcome.data)
        return Outcome(data=bytes(data)) if self.changed(command, data) else outcome

    def changed(self, command: Command, data: bytearray) -> bool:
        """Change *data*; tell whether it is to be used."""
        raise NotImplementedError


class SameRelativePort(Identity):
    """Both engines give the same relative target port identifier."""

    def changed(self, command: Command, data: bytearray) -> bool:
        """Write 1 into each such designator."""
        if not _is_page(command, PAGE_IDENTIFICATION):
            return False
        at = 4
        while at + 4 <= len(data):
            length = data[at + 3]
            if data[at + 1] & 0xF == RELATIVE_PORT and at + 8 <= len(data):
                data[at + 6 : at + 8] = b"\0\1"
            at += 4 + length
        return True


class SerialDiffers(Identity):
    """The unit has another serial number through the second engine."""

    engine = "engine2"

    def changed(self, command: Command, data: bytearray) -> bool:
        """Change its last character."""
        if not _is_page(command, PAGE_SERIAL) or len(data) < 5:
            return False
        data[-1] = ord("X") if data[-1] != ord("X") else ord("Y")
        return True


class AccessStateWrong(Identity):
    """REPORT TARGET PORT GROUPS calls the first group standby, while it serves everything."""

    def changed(self, command: Command, data: bytearray) -> bool:
        """Change the state in the first descriptor (SPC-4 6.37, after an extended header)."""
        if command.opcode != MAINTENANCE_IN or command.service_action != REPORT_TARGET_PORT_GROUPS:
            return False
        first = 8 if command.cdb[1] >> 5 == 1 else 4  # PARAMETER DATA FORMAT
        if len(data) <= first:
            return False
        data[first] = (data[first] & 0xF0) | STANDBY
        return True


class DeniesCommand(Identity):
    """REPORT SUPPORTED OPERATION CODES says that COMPARE AND WRITE, which works, does not exist."""

    def changed(self, command: Command, data: bytearray) -> bool:
        """Take it out of the list of all, or deny it alone."""
        asked = (command.opcode, command.service_action)
        if asked != (MAINTENANCE_IN, REPORT_SUPPORTED_OPERATION_CODES):
            return False
        if command.cdb[2] & 0x7:  # REPORTING OPTIONS: about one command
            if command.cdb[3] != COMPARE_AND_WRITE or len(data) < 4:
                return False
            data[1] = (data[1] & 0xF8) | NOT_SUPPORTED
            del data[4:]
            data[2:4] = b"\0\0"
            return True
        return _strike_out(data, COMPARE_AND_WRITE)


def _strike_out(data: bytearray, opcode: int) -> bool:
    """Remove the descriptor of an operation code: 8 bytes, 20 with timeouts (SPC-4 6.35.2)."""
    at = 4
    while at + 8 <= len(data):
        size = 20 if data[at + 5] & 0x2 else 8
        if data[at] == opcode:
            del data[at : at + size]
            length = int.from_bytes(data[0:4], "big") - size
            data[0:4] = length.to_bytes(4, "big")
            return True
        at += size
    return False


def _is_page(command: Command, page: int) -> bool:
    return command.opcode == INQUIRY and bool(command.cdb[1] & 1) and command.cdb[2] == page
