"""What a device server does not know it refuses, with the right words and without harm."""

import pytest

from certify import cdb
from certify.cdb import Opcode
from certify.conformance.examiner import Examiner, Window
from certify.conformance.expectation import (
    GOOD,
    INVALID_FIELD,
    INVALID_OPCODE,
    INVALID_SERVICE_ACTION,
)

FAMILY = "Bad CDBs"
UNKNOWN = ((0x02, 6), (0x49, 10), (0x97, 16))
"""Operation codes that SPC-6 annex F assigns to no command of a disk, and their CDB lengths."""
RESERVED_BITS = (
    ("TEST UNIT READY", cdb.test_unit_ready(), 2, 0, 0),
    ("TEST UNIT READY", cdb.test_unit_ready(), 4, 7, 0),
    ("REQUEST SENSE", cdb.request_sense(), 2, 3, 252),
    ("INQUIRY", cdb.inquiry(36), 1, 2, 36),
    ("READ CAPACITY(10)", cdb.read_capacity_10(), 7, 1, 8),
    ("READ(10)", cdb.read(0, 0), 6, 7, 0),
    ("READ(16)", cdb.read(0, 0, width=16), 14, 6, 0),
    ("MODE SENSE(6)", cdb.mode_sense_6(), 1, 1, 252),
    ("REPORT LUNS", cdb.report_luns(), 3, 0, 1024),
)
"""A command, and a bit that SPC-4 and SBC-4 reserve in it: byte, bit; and its data-in bytes."""


@pytest.mark.parametrize(("opcode", "length"), UNKNOWN, ids=lambda value: f"{value:#x}")
def test_an_unknown_operation_code_is_refused(examiner: Examiner, opcode: int, length: int) -> None:
    """An unknown command is an invalid operation code. Method: codes that are assigned to none."""
    examiner.expect(
        f"operation code {opcode:02x}h",
        bytes((opcode, *bytes(length - 1))),
        INVALID_OPCODE,
        clause="SPC-6 4.2.5.1",
    )


def test_an_unknown_command_harms_nobody(examiner: Examiner) -> None:
    """After a refused command the unit serves on. Method: TEST UNIT READY after it."""
    examiner.send(bytes((0x97, *bytes(15))))
    examiner.expect(
        "TEST UNIT READY after a refused command", cdb.test_unit_ready(), GOOD, clause="SAM-6 5.3.1"
    )


@pytest.mark.parametrize("width", [10, 12, 16])
@pytest.mark.parametrize("direction", ["read", "write"])
def test_protection_without_protection_information_is_refused(
    examiner: Examiner, window: Window, width: int, direction: str
) -> None:
    """RDPROTECT and WRPROTECT are zero on a unit formatted without. Method: field set to 1."""
    name = f"{direction.upper()}({width}) with {'RD' if direction == 'read' else 'WR'}PROTECT 1"
    clause = "SBC-5 5.17, 5.41"
    if _is_protected(examiner):
        examiner.not_run(
            name,
            clause=clause,
            expected=str(INVALID_FIELD),
            reason="the unit is formatted with protection information",
        )
        return
    block = examiner.path.block_bytes
    command = bytearray(getattr(cdb, direction)(window.lba, 1, width=width))
    command[1] |= 1 << 5
    examiner.expect(
        name,
        bytes(command),
        INVALID_FIELD,
        clause=clause,
        data_out=bytes(block) if direction == "write" else None,
        data_in_length=block if direction == "read" else 0,
    )


def test_an_unknown_maintenance_action_is_refused(examiner: Examiner) -> None:
    """MAINTENANCE IN knows its actions. Method: service action 1Eh, reserved."""
    examiner.expect(
        "service action 1Eh of MAINTENANCE IN",
        bytes((Opcode.MAINTENANCE_IN, 0x1E, *bytes(4), 0, 0, 0, 64, 0, 0)),
        INVALID_SERVICE_ACTION,
        clause="SPC-6 4.2.5.2",
        data_in_length=64,
    )


def test_a_field_pointer_points_at_the_field(examiner: Examiner) -> None:
    """If sense data points into the CDB, it points at the wrong byte. Method: INQUIRY page 83h
    without EVPD, whose wrong fields are byte 1 or 2.
    """
    name, clause = "field pointer of an invalid field", "SPC-6 4.4.2.4.2"
    got = examiner.send(bytes((Opcode.INQUIRY, 0, 0x83, 0, 96, 0)), data_in_length=96)
    pointer = got.sense.field_pointer if got.sense else None
    if pointer is None:
        examiner.not_run(
            name,
            clause=clause,
            expected="byte 1 or 2",
            reason="sense-key specific data is optional and not given",
        )
        return
    examiner.claim(
        name,
        pointer in (1, 2),
        clause=clause,
        expected="byte 1 or 2",
        observed=f"byte {pointer}",
        after=got,
    )


@pytest.mark.parametrize("case", RESERVED_BITS, ids=lambda case: case[0].replace(" ", "-"))
def test_a_reserved_bit_is_ignored_or_refused(
    examiner: Examiner, case: tuple[str, bytes, int, int, int]
) -> None:
    """A device need not look at reserved bits; if it does, it says where. Method: one bit set."""
    name, command, at, bit, length = case
    changed = bytearray(command)
    changed[at] |= 1 << bit
    got = examiner.send(bytes(changed), data_in_length=length)
    pointer = got.sense.field_pointer if got.sense else None
    refused = INVALID_FIELD.met_by(got) and pointer in (None, at)
    examiner.claim(
        f"{name}: bit {bit} of byte {at}, reserved",
        GOOD.met_by(got) or refused,
        clause="SPC-4 4.2.5.1, 4.5.2.4.2",
        expected=f"{GOOD}, or {INVALID_FIELD} that points at byte {at} or nowhere",
        observed=f"{got}, pointer {pointer}",
        after=got,
    )


def test_a_service_action_that_is_refused_is_pointed_at(examiner: Examiner) -> None:
    """If sense data points into the CDB, it is at the service action. Method: two commands."""
    for name, opcode in (
        ("SERVICE ACTION IN(16)", Opcode.SERVICE_ACTION_IN_16),
        ("MAINTENANCE OUT", Opcode.MAINTENANCE_OUT),
    ):
        command = bytes((opcode, 0x1F, *bytes(14 if opcode < 0xA0 else 10)))
        got = examiner.send(command)
        pointer = got.sense.field_pointer if got.sense else None
        examiner.claim(
            f"{name} with service action 1Fh",
            INVALID_SERVICE_ACTION.met_by(got) and pointer in (None, 0, 1),
            clause="SPC-4 4.2.5.2, 4.5.2.4.2",
            expected=f"{INVALID_SERVICE_ACTION} that points at byte 0 or 1 or nowhere",
            observed=f"{got}, pointer {pointer}",
            after=got,
        )


def _is_protected(examiner: Examiner) -> bool:
    """Tell whether PROT_EN is set in READ CAPACITY(16) data, SBC-5 5.21.2."""
    got = examiner.send(cdb.read_capacity_16(), data_in_length=32).raise_for_status()
    return bool(got.data[12] & 1)
