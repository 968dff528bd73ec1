"""REPORT SUPPORTED OPERATION CODES tells the truth: what it says is what the server does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scsi_target import execute, make_server, pointer_of, sense_of

from reference_router.commands_table import COMMANDS
from reference_router.scsi import Response

INVALID_OPCODE, INVALID_FIELD = (5, 0x20, 0), (5, 0x24, 0)
NAMES = [row.name for row in COMMANDS]


def ask(option, code=0, action=0, *, timeouts=False, allocation=0xFFFF):
    """Send REPORT SUPPORTED OPERATION CODES."""
    flags = option | (0x80 if timeouts else 0)
    return execute(f"a3 0c {flags:02x} {code:02x} {action:04x} {allocation:08x} 00 00")


def listed():
    """Return (operation code, service action or None, CDB length) of all that is listed."""
    data = ask(0).data
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    entries = [data[at : at + 8] for at in range(4, len(data), 8)]
    return [
        (each[0], int.from_bytes(each[2:4], "big") if each[5] & 1 else None, each[7])
        for each in entries
    ]


def usage_of(code, action):
    data = (ask(1, code) if action is None else ask(2, code, action)).data
    assert data[1] & 7 == 3
    assert int.from_bytes(data[2:4], "big") == len(data) - 4
    return data[4:]


def test_every_operation_code_is_listed_or_refused():
    codes = {code for code, _, _ in listed()}

    for code in range(256):
        answer = execute(f"{code:02x}" + "00" * 15)
        is_refused = isinstance(answer, Response) and answer.sense[12:13] == b"\x20"
        assert is_refused != (code in codes), f"{code:02x}h"


def test_every_service_action_is_listed_or_refused():
    with_actions = {(code, action) for code, action, _ in listed() if action is not None}

    for code in {code for code, _ in with_actions}:
        for action in range(32):
            # The field pointer is at byte 1 only if the service action itself is not known.
            answer = execute(f"{code:02x} {action:02x} ff" + "ff" * 13)
            is_refused = isinstance(answer, Response) and answer.sense[15:18] == b"\xc0\0\1"
            assert is_refused != ((code, action) in with_actions), f"{code:02x}h/{action:02x}h"


@pytest.mark.parametrize("row", COMMANDS, ids=NAMES)
def test_a_bit_that_is_not_in_the_usage_map_is_refused(row):
    usage = usage_of(row.operation_code, row.action)
    assert len(usage) in (6, 10, 12, 16)
    for byte in range(1, len(usage)):
        for bit in (1 << each for each in range(8)):
            ours = bit & usage[byte] or (byte == 1 and row.action is not None and bit < 0x20)
            if ours or row.refused >> 8 * (15 - byte) & bit == 0:
                continue
            cdb = bytearray(16)
            cdb[0], cdb[1] = row.operation_code, row.action or 0
            cdb[byte] |= bit
            response = execute(cdb.hex())
            assert (sense_of(response), pointer_of(response)) == (INVALID_FIELD, ("cdb", byte))


def test_bits_that_are_neither_used_nor_refused_are_few():
    """They are SCSI-2's LUN, and fields that a standard says to ignore."""
    tolerated = {}
    for row in COMMANDS:
        accepted = bytes(each ^ 0xFF for each in row.refused.to_bytes(16, "big"))
        extra = [accepted[at] & ~row.usage[at] for at in range(1, len(row.usage))]
        if row.action is not None:
            extra[0] &= 0xE0
        if any(extra):
            tolerated[row.name] = [hex(each) for each in extra if each]
    six = [row.name for row in COMMANDS if len(row.usage) == 6]
    ignores_type = [f"PERSISTENT RESERVE OUT {each}" for each in ("REGISTER", "CLEAR")]
    ignores_type.append("PERSISTENT RESERVE OUT REGISTER AND IGNORE EXISTING KEY")
    ignores_type.append("PERSISTENT RESERVE OUT REGISTER AND MOVE")

    assert tolerated == (
        {name: ["0xe0"] for name in six}
        | {name: ["0xff"] for name in ignores_type}
        | {f"SYNCHRONIZE CACHE({width})": ["0x4"] for width in (10, 16)}
    )


@given(st.sampled_from(COMMANDS), st.binary(min_size=16, max_size=16))
def test_bits_of_the_usage_map_are_never_refused_as_reserved(row, noise):
    """With only such bits set, what is refused is a value, in a field of the map."""
    usage = row.usage.ljust(16, b"\0")
    cdb = bytearray(bits & mask for bits, mask in zip(noise, usage, strict=True))
    cdb[0] = row.operation_code
    if row.action is not None:
        cdb[1] = cdb[1] & 0xE0 & usage[1] | row.action

    answer = execute(cdb.hex(), make_server(), data=bytes(64))

    if isinstance(answer, Response) and answer.sense and sense_of(answer) == INVALID_FIELD:
        at = pointer_of(answer)[1]
        assert usage[at]


def test_timeouts_descriptors_are_given_if_asked_for():
    one, whole = ask(1, 0x28, timeouts=True).data, ask(0, timeouts=True).data

    assert one[1] & 0x80
    assert (one[14:16], len(one)) == (b"\0\x0a", 4 + 10 + 12)
    assert (len(whole) - 4) % 20 == 0
    assert whole[9] & 2


@pytest.mark.parametrize("option", [1, 3])
def test_what_is_not_there_is_not_supported(option):
    assert ask(option, 0x49).data == bytes((0, 1, 0, 0))


def test_unknown_service_action_is_not_supported():
    assert ask(2, 0xA3, 0x1E).data == ask(3, 0xA3, 0x1E).data == bytes((0, 1, 0, 0))


@pytest.mark.parametrize(("option", "code"), [(1, 0xA3), (2, 0x28), (4, 0x28)])
def test_option_that_does_not_fit_the_command_is_an_invalid_field(option, code):
    response = ask(option, code)

    assert (sense_of(response), pointer_of(response)) == (INVALID_FIELD, ("cdb", 2))


def test_option_3_takes_both_kinds():
    assert ask(3, 0x28).data == ask(1, 0x28).data
    assert ask(3, 0xA3, 0x0A).data == ask(2, 0xA3, 0x0A).data


def test_allocation_length_cuts_the_data():
    assert ask(0, allocation=9).data == ask(0).data[:9]


def test_task_management_functions_are_abort_task_and_unit_reset():
    assert execute("a3 0d 00 00 00 00 00 00 00 ff").data == bytes((0x88, 0, 0, 0))
    assert execute("a3 0d 80 00 00 00 00 00 00 ff").data == bytes((0x88, 0, 0, 12)) + bytes(12)
    assert pointer_of(execute("a3 0d 00 00 00 00 00 00 00 03")) == ("cdb", 6)
