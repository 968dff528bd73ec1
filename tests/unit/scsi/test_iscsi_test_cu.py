"""What iscsi-test-cu prints becomes assertions: passed, failed, skipped, waived, unended."""

import pytest

from certify.conformance import iscsi_test_cu
from certify.conformance.iscsi_test_cu import Blame, Waiver, assertions_of, parse
from certify.lab import LabError
from fault_injectors import Completed, FaultError
from reports.record import Verdict

STAMP = "    2026-11-25 12:00:00.000001 "
OUTPUT = f"""

     CUnit - A unit testing framework for C - Version 2.1-3
     http://cunit.sourceforge.net/


Suite: Read10
  Test: Simple ...
{STAMP}Test READ10 of 1-256 blocks at the start of the LUN
passed
  Test: BeyondEol ...
{STAMP}[FAILED] READ10 successful but should have failed
FAILED
    1. test_read10_beyond_eol.c:45  - CU_FAIL("READ10 beyond end-of-lun did not return sense")
Suite: ProutReserve
  Test: AccessEA ...
{STAMP}[SKIPPED] This test is only supported for iSCSI backends
passed

Run Summary:    Type  Total    Ran Passed Failed Inactive
              suites      2      2    n/a      0        0
               tests      3      3      2      1        0
"""
LINE = "iscsi-test-cu --dataloss --verbose --Verbose-scsi --test LINUX /dev/sg1 /dev/sg2"


def verdicts(text, waivers=()):
    found = assertions_of(
        parse(text), {one.test: one for one in waivers}, path="path1", repeat=LINE
    )
    return {one.name: one for one in found}


def waiver(test):
    return Waiver(test=test, reason="it reads beyond its buffer", blame=Blame.TEST)


def test_every_test_has_its_verdict():
    found = verdicts(OUTPUT)

    assert {name: one.verdict for name, one in found.items()} == {
        "Read10.Simple": Verdict.PASS,
        "Read10.BeyondEol": Verdict.FAIL,
        "ProutReserve.AccessEA": Verdict.NOT_RUN,
    }


def test_a_skip_is_not_run_with_its_reason():
    assert verdicts(OUTPUT)["ProutReserve.AccessEA"].reason == (
        "This test is only supported for iSCSI backends"
    )


def test_a_failure_says_what_was_seen_and_how_to_repeat_it():
    seen = verdicts(OUTPUT)["Read10.BeyondEol"]

    assert "beyond end-of-lun did not return sense" in seen.observed
    assert "successful but should have failed" in seen.observed
    assert "--test LINUX.Read10.BeyondEol /dev/sg1" in seen.repeat_with


def test_a_waived_failure_is_no_pass():
    seen = verdicts(OUTPUT, [waiver("Read10.BeyondEol")])["Read10.BeyondEol"]

    assert seen.verdict is Verdict.NOT_RUN
    assert seen.reason == "waived (test): it reads beyond its buffer"


def test_a_waiver_that_is_not_needed_is_told():
    found = verdicts(OUTPUT, [waiver("Read10.Simple")])

    assert "not needed any more" in found["waiver of Read10.Simple"].reason
    assert found["Read10.Simple"].verdict is Verdict.PASS


def test_a_test_without_an_end_is_inconclusive():
    cut = OUTPUT[: OUTPUT.index("FAILED\n")].rstrip()

    assert verdicts(cut + "\n")["Read10.BeyondEol"].verdict is Verdict.INCONCLUSIVE


def test_evidence_has_the_words_of_what_failed_only():
    seen = iscsi_test_cu.transcript(parse(OUTPUT))

    assert "Read10.Simple: passed\n" in seen
    assert "ProutReserve.AccessEA: skipped This test is only supported" in seen
    assert "successful but should have failed" in seen
    assert "Test READ10 of 1-256 blocks" not in seen


def test_nothing_printed_is_no_test():
    assert parse("could not open device\n") == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[[waiver]]\ntest = "A.B"\nreason = "x"\nblame = "nobody"\n', "blame"),
        ('[[waiver]]\ntest = "A.B"\nreason = " "\nblame = "test"\n', "expected a reason"),
        ('[[waiver]]\ntest = "A.B"\nreason = "x"\nblame = "test"\n' * 2, "several for A.B"),
        ("[[waiver", "waivers.toml"),
    ],
)
def test_a_wrong_file_of_waivers_is_refused(tmp_path, text, error):
    path = tmp_path / "waivers.toml"
    path.write_text(text)

    with pytest.raises(LabError, match=error):
        iscsi_test_cu.load_waivers(path)


def test_the_waivers_that_are_there_can_be_read():
    assert all(one.reason for one in iscsi_test_cu.load_waivers().values())


class Tool:
    """Plays a shell that has, or has not, the program."""

    reach = "local"

    def __init__(self, there):
        self.there = there

    def run(self, argv, *, timeout_s, check=True):
        if not self.there:
            raise FaultError("iscsi-test-cu: cannot be started")
        return Completed(argv=tuple(argv), exit_status=1, stdout="out", stderr="err")


def test_all_that_it_prints_is_kept_and_its_exit_status_decides_nothing():
    assert iscsi_test_cu.run(["/dev/sg1"], Tool(there=True)) == "outerr"


def test_a_program_that_cannot_run_is_an_error():
    with pytest.raises(LabError, match="cannot be started"):
        iscsi_test_cu.run(["/dev/sg1"], Tool(there=False))
