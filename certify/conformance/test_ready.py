"""TEST UNIT READY, REQUEST SENSE and START STOP UNIT of a unit that has nothing to say."""

from certify import cdb
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import GOOD, INVALID_FIELD
from certify.conformance.offers import offers
from certify.scsi import SenseKey, decode_sense

FAMILY = "Readiness"


def test_the_unit_is_ready(examiner: Examiner) -> None:
    """A healthy unit is ready once its unit attentions are read. Method: TEST UNIT READY twice."""
    examiner.expect("TEST UNIT READY", cdb.test_unit_ready(), clause="SPC-6 6.45")
    examiner.expect("TEST UNIT READY again", cdb.test_unit_ready(), clause="SPC-6 6.45")


def test_request_sense_has_nothing_to_report(examiner: Examiner) -> None:
    """REQUEST SENSE of a ready unit is GOOD with NO SENSE. Method: fixed format."""
    got = examiner.expect(
        "REQUEST SENSE", cdb.request_sense(), clause="SPC-6 6.37", data_in_length=252
    )
    sense = decode_sense(got.data)
    examiner.claim(
        "sense data of a ready unit",
        sense is not None and sense.key == SenseKey.NO_SENSE and got.data[0] & 0x7F == 0x70,
        clause="SPC-6 6.37",
        expected="fixed format, NO SENSE",
        observed=f"response code {got.data[:1].hex() or 'none'}, {sense}",
        after=got,
    )


def test_request_sense_knows_both_formats_or_says_so(examiner: Examiner) -> None:
    """DESC asks for descriptor format, or is refused. Method: DESC set to one."""
    got = examiner.send(cdb.request_sense(descriptor=True), data_in_length=252)
    refused = INVALID_FIELD.met_by(got)
    response = got.data[0] & 0x7F if got.data else 0
    examiner.claim(
        "descriptor format on request",
        refused or (GOOD.met_by(got) and response == 0x72),
        clause="SPC-6 6.37",
        expected=f"response code 72, or {INVALID_FIELD}",
        observed=f"{got}, response code {response:02x}",
        after=got,
    )


def test_allocation_length_cuts_sense_data(examiner: Examiner) -> None:
    """REQUEST SENSE fills no more than it was given. Method: 0, 8 and 18 bytes."""
    for length in (0, 8, 18):
        got = examiner.expect(
            f"REQUEST SENSE into {length} bytes",
            cdb.request_sense(length),
            clause="SPC-6 6.37",
            data_in_length=length,
        )
        examiner.claim(
            f"sense data of {length} bytes",
            len(got.data) == length and (length < 8 or got.data[7] >= 10),
            clause="SPC-6 4.2.5.6",
            expected=f"{length} bytes, of which additional sense length is not cut",
            observed=got.data.hex(" ") or "nothing",
            after=got,
        )


def test_a_running_unit_starts(examiner: Examiner) -> None:
    """START of what runs is GOOD, with IMMED too. Method: then TEST UNIT READY."""
    clause = "SBC-4 START STOP UNIT command"
    if not offers(examiner, "START STOP UNIT", clause=clause):
        return
    for immediate in (False, True):
        examiner.expect(
            f"START STOP UNIT, START 1, IMMED {int(immediate)}",
            cdb.start_stop_unit(immediate=immediate),
            clause=clause,
        )
    examiner.expect("TEST UNIT READY after START", cdb.test_unit_ready(), clause=clause)
