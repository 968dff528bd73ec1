"""READ CAPACITY: both forms agree, on every path, with what the host was told."""

from certify import cdb, sg
from certify.conformance.examiner import ConformancePath, Examiner
from certify.conformance.expectation import INVALID_SERVICE_ACTION
from certify.inquiry import decode_capacity_10, decode_capacity_16

FAMILY = "READ CAPACITY"
CLAUSE_10 = "SBC-5 5.20"
CLAUSE_16 = "SBC-5 5.21"
LAST_LBA_10_MAX = 0xFFFFFFFF


def test_both_forms_agree(examiner: Examiner) -> None:
    """READ CAPACITY(10) and (16) tell the same size. Method: both, compared."""
    short = examiner.expect(
        "READ CAPACITY(10)", cdb.read_capacity_10(), clause=CLAUSE_10, data_in_length=8
    )
    long = examiner.expect(
        "READ CAPACITY(16)", cdb.read_capacity_16(), clause=CLAUSE_16, data_in_length=32
    )
    ten, sixteen = decode_capacity_10(short.data), decode_capacity_16(long.data)
    wanted = min(sixteen.last_lba, LAST_LBA_10_MAX)
    examiner.claim(
        "last LBA and block length agree",
        (ten.last_lba, ten.block_bytes) == (wanted, sixteen.block_bytes),
        clause=CLAUSE_10,
        expected=f"last LBA {wanted}, {sixteen.block_bytes} bytes",
        observed=f"last LBA {ten.last_lba}, {ten.block_bytes} bytes",
        after=short,
    )
    examiner.claim(
        "block length is a power of two of at least 512",
        sixteen.block_bytes >= 512 and sixteen.block_bytes.bit_count() == 1,
        clause=CLAUSE_16,
        expected="512, 1024, 2048, 4096...",
        observed=f"{sixteen.block_bytes}",
        after=long,
    )


def test_the_host_uses_the_whole_unit(examiner: Examiner) -> None:
    """The host's disk has the size that the target tells. Method: against sysfs."""
    got = examiner.send(cdb.read_capacity_16(), data_in_length=32).raise_for_status()
    capacity = decode_capacity_16(got.data)
    examiner.claim(
        "size of the host's disk",
        capacity.last_lba == examiner.path.last_lba,
        clause=CLAUSE_16,
        expected=f"last LBA {examiner.path.last_lba}",
        observed=f"last LBA {capacity.last_lba}",
        after=got,
    )


def test_allocation_length_cuts_the_data(examiner: Examiner) -> None:
    """READ CAPACITY(16) with 8 bytes gives the last LBA alone. Method: allocation length 8."""
    whole = examiner.send(cdb.read_capacity_16(), data_in_length=32).raise_for_status()
    got = examiner.expect(
        "allocation length 8", cdb.read_capacity_16(8), clause="SPC-6 4.2.5.6", data_in_length=8
    )
    examiner.claim(
        "the first 8 bytes are the same",
        got.data == whole.data[:8],
        clause="SPC-6 4.2.5.6",
        expected=whole.data[:8].hex(" "),
        observed=got.data.hex(" "),
        after=got,
    )


def test_a_reserved_service_action_is_refused(examiner: Examiner) -> None:
    """SERVICE ACTION IN(16) knows its actions. Method: service action 1Fh, reserved."""
    examiner.expect(
        "service action 1Fh of SERVICE ACTION IN(16)",
        bytes((0x9E, 0x1F, *bytes(8), 0, 0, 0, 32, 0, 0)),
        INVALID_SERVICE_ACTION,
        clause="SPC-6 4.2.5.2",
        data_in_length=32,
    )


def test_all_paths_tell_the_same(examiner: Examiner, unit_paths: list[ConformancePath]) -> None:
    """Capacity does not depend on the path. Method: READ CAPACITY(16) of every path."""
    mine = examiner.send(cdb.read_capacity_16(), data_in_length=32).raise_for_status()
    for other in unit_paths:
        with sg.opened(other.sg) as descriptor:
            theirs = sg.execute(descriptor, cdb.read_capacity_16(), data_in_length=32)
        examiner.claim(
            f"same capacity as {other.name}",
            mine.data == theirs.raise_for_status().data,
            clause=CLAUSE_16,
            expected=theirs.data.hex(" "),
            observed=mine.data.hex(" "),
            after=mine,
        )
