"""TEST UNIT READY and REQUEST SENSE of a unit that has nothing to say."""

from certify import cdb
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import GOOD, INVALID_FIELD
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
