"""sg3-utils, written by others, see what this suite sees."""

from certify import cdb, sg3
from certify.conformance.examiner import Examiner, Keep
from certify.inquiry import Page
from certify.sg3 import Sg3Exit

FAMILY = "Witness (sg3-utils)"
CLAUSE = "sg3_utils(8)"


def test_the_witness_can_ask_everything(examiner: Examiner, evidence: Keep) -> None:
    """Identity, capacity and readiness are found by other people's code. Method: sg_inq and kin."""
    transcript = sg3.witness(examiner.path.sg)
    evidence("sg3-utils", transcript.text)
    for one in transcript.commands:
        examiner.claim(
            " ".join(one.argv[:-1]),
            one.exit_status == Sg3Exit.GOOD,
            clause=CLAUSE,
            expected="exit status 0 (good)",
            observed=f"exit status {one.exit_status} ({one.meaning})",
        )


def test_the_witness_reads_the_same_bytes(examiner: Examiner) -> None:
    """Page 83h is the same through our code and theirs. Method: compared byte by byte."""
    ours = examiner.page(Page.DESIGNATORS)
    ours = ours[: 4 + int.from_bytes(ours[2:4])]
    theirs = sg3.vpd_page(examiner.path.sg, Page.DESIGNATORS)
    examiner.claim(
        "page 83h by sg_vpd",
        theirs == ours,
        clause=CLAUSE,
        expected=ours.hex(" "),
        observed=theirs.hex(" "),
    )


def test_the_witness_sees_the_same_refusals(examiner: Examiner) -> None:
    """A bad CDB is refused to the witness too. Method: sg_raw, its exit status."""
    unknown = bytes((0x97, *bytes(15)))
    beyond = cdb.read(examiner.path.blocks, 1, width=16)
    block = examiner.path.block_bytes
    for name, command, length, wanted in (
        ("unknown operation code", unknown, 0, {Sg3Exit.INVALID_OPERATION_CODE}),
        (
            "READ(16) past the end",
            beyond,
            block,
            {Sg3Exit.ILLEGAL_REQUEST, Sg3Exit.LBA_OUT_OF_RANGE},
        ),
    ):
        argv = sg3.repeat_line(examiner.path.sg, command, data_in_length=length).split()
        seen = sg3.run(argv)
        examiner.claim(
            f"sg_raw: {name}",
            seen.exit_status in wanted,
            clause=CLAUSE,
            expected=" or ".join(sg3.exit_name(status) for status in sorted(wanted)),
            observed=f"exit status {seen.exit_status} ({seen.meaning})",
        )
