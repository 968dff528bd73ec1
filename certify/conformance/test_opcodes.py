"""REPORT SUPPORTED OPERATION CODES is held against what the device does with each command."""

from certify import cdb
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import INVALID_FIELD
from certify.conformance.nexus import Nexuses
from certify.conformance.offers import OFFERS, Offer, offers, told

FAMILY = "Operation codes"
CLAUSE = "SPC-4 REPORT SUPPORTED OPERATION CODES command"
NAME = "REPORT SUPPORTED OPERATION CODES"
UNKNOWN = 0x97
DATA_BYTES = 8192
CDB_BYTES = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}
"""By the group code, the first three bits of an operation code, SPC-4 4.2.5.1."""


def test_what_is_told_is_what_is_done(nexuses: Nexuses) -> None:
    """A command told as supported is known, another is not. Method: a harmless CDB of each."""
    examiner = nexuses.mine
    if not offers(examiner, NAME, clause=CLAUSE):
        return
    for offer in OFFERS:
        usage = told(examiner, offer.opcode, offer.action if offer.has_action else None)
        answer = examiner.send(
            offer.command, data_out=offer.data_out, data_in_length=offer.data_in_length
        )
        known = not offer.refused_by(answer)
        examiner.claim(
            f"{offer.name} is told as it is",
            usage is not None and bool(usage) is known,
            clause=CLAUSE,
            expected=f"told as {'supported' if known else 'not supported'}",
            observed=_words(usage),
            after=answer,
        )
        if usage:
            _usage_fits(examiner, offer, usage)
        nexuses.mine.settle()


def test_what_is_mandatory_is_there(nexuses: Nexuses) -> None:
    """SBC-4 and SPC-4 leave no choice. Method: a harmless CDB of each mandatory command."""
    for offer in OFFERS:
        if not offer.mandatory:
            continue
        answer = nexuses.mine.send(offer.command, data_in_length=offer.data_in_length)
        nexuses.mine.claim(
            f"{offer.name} is known",
            not offer.refused_by(answer),
            clause="SBC-4 commands for direct access block devices",
            expected="not an invalid operation code",
            observed=str(answer),
            after=answer,
        )


def test_the_list_of_all_agrees_with_each(examiner: Examiner) -> None:
    """All commands at once are told as one by one. Method: each entry of the list asked for."""
    if not offers(examiner, NAME, clause=CLAUSE):
        return
    command = cdb.report_supported_operation_codes(allocation_length=DATA_BYTES)
    got = examiner.expect(f"{NAME} of all", command, clause=CLAUSE, data_in_length=DATA_BYTES)
    entries = _entries(got.data)
    wrong = []
    for opcode, action, length in entries:
        usage = told(examiner, opcode, action) or b""
        if len(usage) != length:
            wrong.append(f"{opcode:02x}/{action}: {length} bytes in the list, {len(usage)} alone")
    examiner.claim(
        "every command of the list is told alone too",
        bool(entries) and not wrong,
        clause=CLAUSE,
        expected=f"{len(entries)} commands with CDBs of the same length",
        observed="; ".join(wrong) or f"{len(entries)} such commands",
        after=got,
    )
    known = {(opcode, action or 0) for opcode, action, _ in entries}
    missing = [
        offer.name
        for offer in OFFERS
        if (offer.opcode, offer.action) not in known
        and told(examiner, offer.opcode, offer.action if offer.has_action else None)
    ]
    examiner.claim(
        "every command told alone is in the list",
        not missing,
        clause=CLAUSE,
        expected="all of them",
        observed=f"not {', '.join(missing)}" if missing else "all of them",
        after=got,
    )


def test_an_unknown_code_is_told_as_unsupported(examiner: Examiner) -> None:
    """To ask for an unknown command is no error. Method: operation code 97h."""
    if not offers(examiner, NAME, clause=CLAUSE):
        return
    got = examiner.expect(
        f"{NAME} of {UNKNOWN:02x}h",
        cdb.report_supported_operation_codes(1, UNKNOWN, allocation_length=64),
        clause=CLAUSE,
        data_in_length=64,
    )
    support = got.data[1] & 0x07 if len(got.data) > 1 else -1
    examiner.claim(
        f"{UNKNOWN:02x}h is told as not supported",
        support == 1,
        clause=CLAUSE,
        expected="SUPPORT 001b",
        observed=f"SUPPORT {support:03b}",
        after=got,
    )


def test_a_wrong_way_of_asking_is_refused(examiner: Examiner) -> None:
    """REPORTING OPTIONS must fit the command. Method: 001b of one with actions, 010b of one
    without, a reserved option.
    """
    if not offers(examiner, NAME, clause=CLAUSE):
        return
    for name, option, opcode in (
        ("001b of MAINTENANCE IN, which has service actions", 1, 0xA3),
        ("010b of TEST UNIT READY, which has none", 2, 0x00),
        ("111b, reserved", 7, 0x00),
    ):
        examiner.expect(
            f"REPORTING OPTIONS {name}",
            cdb.report_supported_operation_codes(option, opcode, allocation_length=64),
            INVALID_FIELD,
            clause=CLAUSE,
            data_in_length=64,
        )


def _usage_fits(examiner: Examiner, offer: Offer, usage: bytes) -> None:
    """Record whether CDB usage data begins with the operation code and is as long as the CDB."""
    action = usage[1] & 0x1F if len(usage) > 1 else -1
    length = CDB_BYTES[offer.opcode >> 5]
    examiner.claim(
        f"CDB usage data of {offer.name}",
        usage[0] == offer.opcode
        and len(usage) == length
        and (not offer.has_action or action == offer.action),
        clause=CLAUSE,
        expected=f"{length} bytes that begin with {offer.command[:1].hex()}"
        + (f", service action {offer.action:02x}h" if offer.has_action else ""),
        observed=usage.hex(" "),
    )


def _entries(data: bytes) -> list[tuple[int, int | None, int]]:
    """Return (operation code, service action or None, bytes of the CDB) of the list of all."""
    end = min(len(data), 4 + int.from_bytes(data[:4]))
    found = []
    position = 4
    while position + 8 <= end:
        one = data[position : position + 8]
        action = int.from_bytes(one[2:4]) if one[5] & 0x01 else None
        found.append((one[0], action, int.from_bytes(one[6:8])))
        position += 20 if one[5] & 0x02 else 8
    return found


def _words(usage: bytes | None) -> str:
    if usage is None:
        return "nothing told"
    return f"told as supported: {usage.hex(' ')}" if usage else "told as not supported"
