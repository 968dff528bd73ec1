"""Persistent reservations are enforced: type by role of the nexus by command, on every engine.

The holder and the other nexus differ in host and engine where the lab has a second host. A command
that a reservation forbids is RESERVATION CONFLICT and does nothing.
"""

from dataclasses import dataclass
from enum import StrEnum

import pytest

from certify import cdb, reserve
from certify.cdb import Opcode
from certify.conformance.examiner import Examiner, Window
from certify.conformance.expectation import CONFLICT, GOOD
from certify.conformance.nexus import NexusPair, out, register
from certify.conformance.offers import BY_NAME, offers
from certify.reserve import InAction, Kind, OutAction
from certify.scsi import Status

FAMILY = "PR enforcement"
CLAUSE = "SPC-4 5.13.1, SBC-3 4.17 Reservations"
HOLDER_KEY, OTHER_KEY = 0xB1, 0xB2
RESERVE = "PERSISTENT RESERVE OUT RESERVE"
OLD_CODES = {6: (Opcode.RESERVE_6, Opcode.RELEASE_6), 10: (0x56, 0x57)}
"""RESERVE and RELEASE of SPC-2, by the width of their CDBs."""


class Need(StrEnum):
    """What a command needs to be allowed beside a reservation of others."""

    NOTHING = "nothing"
    READ = "read access"
    WRITE = "write access"


class Role(StrEnum):
    """What the sending nexus is to the reservation."""

    HOLDER = "holder"
    REGISTERED = "registered"
    NOT_REGISTERED = "not registered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A command of the table: what it needs, and the data that goes out or comes in."""

    name: str
    need: Need
    command: bytes
    data_out: bytes = b""
    in_bytes: int = 0
    optional: str = ""
    """Its name in the table of offers, if a device need not have it."""


def cases(lba: int, size: int) -> tuple[Case, ...]:
    """Return the table of commands, SPC-4 tables 51 and 52 and SBC-3 table 13.

    *lba* is of a block that may be written, *size* of how many bytes.
    """
    return (*_ABOUT, *_reads(lba, size), *_writes(lba, size), *_other_writes(lba, size))


_ABOUT = (
    Case(name="TEST UNIT READY", need=Need.NOTHING, command=cdb.test_unit_ready()),
    Case(name="INQUIRY", need=Need.NOTHING, command=cdb.inquiry(36), in_bytes=36),
    Case(name="REPORT LUNS", need=Need.NOTHING, command=cdb.report_luns(16), in_bytes=16),
    Case(name="REQUEST SENSE", need=Need.NOTHING, command=cdb.request_sense(18), in_bytes=18),
    Case(name="READ CAPACITY(10)", need=Need.NOTHING, command=cdb.read_capacity_10(), in_bytes=8),
    Case(name="READ CAPACITY(16)", need=Need.NOTHING, command=cdb.read_capacity_16(), in_bytes=32),
    Case(
        name="READ KEYS",
        need=Need.NOTHING,
        command=reserve.reserve_in(InAction.READ_KEYS, 256),
        in_bytes=256,
    ),
    Case(
        name="REPORT TARGET PORT GROUPS",
        need=Need.NOTHING,
        command=cdb.report_target_port_groups(64),
        in_bytes=64,
        optional="REPORT TARGET PORT GROUPS",
    ),
    Case(
        name="MODE SENSE(6)",
        need=Need.READ,
        command=cdb.mode_sense_6(allocation_length=64),
        in_bytes=64,
        optional="MODE SENSE(6)",
    ),
)


def _reads(lba: int, size: int) -> list[Case]:
    reads = [
        Case(
            name=f"READ({width})",
            need=Need.READ,
            command=cdb.read(lba, 1, width=width),
            in_bytes=size,
        )
        for width in (6, 10, 12, 16)
    ]
    verifies = [
        Case(
            name=f"VERIFY({width})",
            need=Need.READ,
            command=cdb.verify(lba, 1, width=width),
            optional=f"VERIFY({width})",
        )
        for width in (10, 12, 16)
    ]
    return reads + verifies


def _writes(lba: int, size: int) -> list[Case]:
    writes = [
        Case(
            name=f"WRITE({width})",
            need=Need.WRITE,
            command=cdb.write(lba, 1, width=width),
            data_out=bytes(size),
        )
        for width in (6, 10, 12, 16)
    ]
    verified = [
        Case(
            name=f"WRITE AND VERIFY({width})",
            need=Need.WRITE,
            command=cdb.write_and_verify(lba, 1, width=width),
            data_out=bytes(size),
            optional=f"WRITE AND VERIFY({width})",
        )
        for width in (10, 12, 16)
    ]
    return writes + verified


def _other_writes(lba: int, size: int) -> list[Case]:
    """Writes of zeros over zeros: COMPARE AND WRITE compares equal whatever went before."""
    unmap = bytes((0, 22, 0, 16)) + bytes(4) + lba.to_bytes(8) + (1).to_bytes(4) + bytes(4)
    rows: list[tuple[str, bytes, bytes, str]] = [
        ("COMPARE AND WRITE", cdb.compare_and_write(lba, 1), bytes(2 * size), "COMPARE AND WRITE"),
        ("WRITE SAME(10)", cdb.write_same(lba, 1, width=10), bytes(size), "WRITE SAME"),
        ("WRITE SAME(16)", cdb.write_same(lba, 1), bytes(size), "WRITE SAME"),
        ("UNMAP", cdb.unmap(len(unmap)), unmap, "UNMAP"),
        ("SYNCHRONIZE CACHE(10)", cdb.synchronize_cache_10(lba, 1), b"", "SYNCHRONIZE CACHE(10)"),
    ]
    return [
        Case(name=name, need=Need.WRITE, command=command, data_out=data, optional=optional)
        for name, command, data, optional in rows
    ]


def allowed(kind: Kind, role: Role, need: Need) -> bool:
    """Tell whether a command is allowed, SPC-4 table 51 and SBC-3 table 13."""
    if role is Role.HOLDER or need is Need.NOTHING:
        return True
    if role is Role.REGISTERED and kind.admits_registrants:
        return True
    return need is Need.READ and kind.lets_read


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.replace(" ", "-"))
def test_a_reservation_is_enforced(
    nexus_pair: NexusPair, window: Window, kind: Kind, role: Role
) -> None:
    """A command is done or conflicts as the tables say. Method: each, through another nexus."""
    holder, other = nexus_pair.one, nexus_pair.other
    if not offers(holder, RESERVE, clause=CLAUSE):
        return
    size = holder.path.block_bytes
    table = [case for case in cases(window.lba, size) if _has(holder, case)]
    data = bytes(size)
    holder.write(window.lba, data)
    register(holder, HOLDER_KEY)
    if role is Role.REGISTERED:
        register(other, OTHER_KEY)
    out(holder, OutAction.RESERVE, kind, key=HOLDER_KEY).raise_for_status()
    sender = holder if role is Role.HOLDER else other
    sender.settle()
    for case in table:
        expected = GOOD if allowed(kind, role, case.need) else CONFLICT
        sender.expect(
            f"{kind.title}, {role}: {case.name}",
            case.command,
            expected,
            clause=CLAUSE,
            data_out=case.data_out or None,
            data_in_length=case.in_bytes,
        )


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_a_write_that_conflicts_writes_nothing(
    nexus_pair: NexusPair, window: Window, kind: Kind
) -> None:
    """RESERVATION CONFLICT changes no block. Method: other data by a nexus without access."""
    holder, other = nexus_pair.one, nexus_pair.other
    if not offers(holder, RESERVE, clause=CLAUSE):
        return
    size = holder.path.block_bytes
    mine, theirs = b"\x11" * size, b"\x22" * size
    holder.write(window.lba, mine)
    register(holder, HOLDER_KEY)
    out(holder, OutAction.RESERVE, kind, key=HOLDER_KEY).raise_for_status()
    other.settle()
    got = other.send(cdb.write(window.lba, 1), data_out=theirs)
    seen = holder.read(window.lba, 1)
    other.claim(
        f"{kind.title}: a write that conflicts writes nothing",
        CONFLICT.met_by(got) and seen == mine,
        clause="SAM-5 5.3.1 RESERVATION CONFLICT",
        expected=f"{CONFLICT}, and the holder's data stays",
        observed=f"{got}, data {'stays' if seen == mine else 'is gone'}",
        after=got,
    )


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_what_is_released_is_free(nexus_pair: NexusPair, window: Window, kind: Kind) -> None:
    """After RELEASE everybody reads and writes. Method: a nexus that conflicted before."""
    holder, other = nexus_pair.one, nexus_pair.other
    if not offers(holder, RESERVE, clause=CLAUSE):
        return
    size = holder.path.block_bytes
    register(holder, HOLDER_KEY)
    out(holder, OutAction.RESERVE, kind, key=HOLDER_KEY).raise_for_status()
    out(holder, OutAction.RELEASE, kind, key=HOLDER_KEY).raise_for_status()
    other.settle()
    other.expect(
        f"{kind.title} released: WRITE(10) by who is not registered",
        cdb.write(window.lba, 1),
        GOOD,
        clause="SPC-4 5.13.11.2 Releasing",
        data_out=bytes(size),
    )


@pytest.mark.parametrize("width", [6, 10])
def test_an_old_reservation_is_enforced(nexus_pair: NexusPair, window: Window, width: int) -> None:
    """RESERVE of SPC-2 keeps the other out until RELEASE. Method: TEST UNIT READY and WRITE."""
    holder, other = nexus_pair.one, nexus_pair.other
    reserve_code, release_code = (
        (Opcode.RESERVE_6, Opcode.RELEASE_6) if width == 6 else (0x56, 0x57)
    )
    name, clause = f"RESERVE({width})", f"SPC-2 RESERVE({width}) command"
    command = bytes((reserve_code, *bytes(width - 1)))
    got = holder.send(command)
    if BY_NAME["RELEASE(6)"].refused_by(got):
        holder.not_run(
            name,
            clause=clause,
            expected=str(GOOD),
            reason="RESERVE and RELEASE are obsolete in SPC-4, and not supported by the device",
        )
        return
    try:
        holder.expect(f"{name} by its holder again", command, GOOD, clause=clause)
        for words, sent, expected, data in (
            ("TEST UNIT READY by another", cdb.test_unit_ready(), CONFLICT, None),
            ("INQUIRY by another", cdb.inquiry(0), GOOD, None),
            (f"{name} by another", command, CONFLICT, None),
            (
                "WRITE(10) by another",
                cdb.write(window.lba, 1),
                CONFLICT,
                bytes(holder.path.block_bytes),
            ),
        ):
            other.expect(f"{name}: {words}", sent, expected, clause=clause, data_out=data)
    finally:
        holder.send(bytes((release_code, *bytes(width - 1))))
    other.expect(f"{name}: after RELEASE", cdb.test_unit_ready(), GOOD, clause=clause)


def _has(holder: Examiner, case: Case) -> bool:
    """Tell whether the device has an optional command; an older test records that it has not."""
    if not case.optional:
        return True
    if case.optional in BY_NAME:
        offer = BY_NAME[case.optional]
        return not offer.refused_by(holder.send(offer.command, data_in_length=offer.data_in_length))
    got = holder.send(case.command, data_out=case.data_out or None)
    return not (
        got.status == Status.CHECK_CONDITION
        and got.sense is not None
        and (got.sense.asc, got.sense.ascq) == (0x20, 0x00)
    )
