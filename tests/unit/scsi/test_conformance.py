"""The conformance suite runs on every path, in windows of its own, and records what it sees."""

import msgspec
import pytest

from certify.conformance import examiner as examiner_module
from certify.conformance import expectation
from certify.conformance.examiner import ConformancePath, Examiner
from certify.conformance.expectation import GOOD, INVALID_OPCODE, INVALID_SERVICE_ACTION
from certify.conformance.places import nexus_pairs_of, pairs_of, paths_of, two_paths_of
from certify.devices import resolve
from certify.lab import Host, PathEntry
from certify.scsi import Completion, SenseKey, Status, decode_sense
from reports.record import Verdict


def ended(status=Status.GOOD, sense="", host_status=0):
    return Completion(
        cdb=bytes(6),
        status=status,
        sense=decode_sense(bytes.fromhex(sense)),
        residual=0,
        host_status=host_status,
        driver_status=0,
        data=b"",
        sent_ns=0,
        done_ns=0,
    )


def refused(key, asc, ascq, response=0x70):
    sense = bytes((response, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0)).hex()
    return ended(Status.CHECK_CONDITION, sense)


@pytest.mark.parametrize(
    ("expected", "completion", "met"),
    [
        (GOOD, ended(), True),
        (GOOD, ended(host_status=1), False),
        (GOOD, ended(Status.BUSY), False),
        (INVALID_OPCODE, refused(SenseKey.ILLEGAL_REQUEST, 0x20, 0), True),
        (INVALID_OPCODE, refused(SenseKey.ILLEGAL_REQUEST, 0x24, 0), False),
        (INVALID_OPCODE, refused(SenseKey.NOT_READY, 0x20, 0), False),
        (INVALID_OPCODE, refused(SenseKey.ILLEGAL_REQUEST, 0x20, 0, response=0x71), False),
        (INVALID_OPCODE, ended(Status.CHECK_CONDITION), False),
        (INVALID_OPCODE, ended(), False),
        (INVALID_SERVICE_ACTION, refused(SenseKey.ILLEGAL_REQUEST, 0x24, 0), True),
        (INVALID_SERVICE_ACTION, refused(SenseKey.ILLEGAL_REQUEST, 0x20, 0), True),
    ],
)
def test_an_expectation_is_met_exactly(expected, completion, met):
    assert expected.met_by(completion) is met


def test_an_expectation_has_words():
    assert str(expectation.LBA_OUT_OF_RANGE) == (
        "CHECK CONDITION, ILLEGAL REQUEST 21/00 (logical block address out of range)"
    )


def test_every_path_to_a_unit_for_conformance_is_tested(lab):
    assert paths_of(lab) == [("path1", "lu1"), ("path2", "lu1")]


def test_pairs_cross_engines_both_ways(lab):
    one, other = ("path1", "lu1"), ("path2", "lu1")

    assert pairs_of(lab) == [(one, other), (other, one)]


def test_two_paths_go_by_different_engines(lab):
    assert two_paths_of(lab) == [[("path1", "lu1"), ("path2", "lu1")]]


def test_nexus_pairs_differ_in_host_and_engine_where_they_can(two_hosts):
    quick = nexus_pairs_of(two_hosts, thorough=False)

    assert quick == [
        (("path1", "lu1"), ("other2", "lu1")),
        (("other2", "lu1"), ("path1", "lu1")),
    ]
    assert len(nexus_pairs_of(two_hosts, thorough=True)) == 12


def test_nexus_pairs_of_one_host_differ_in_engine(lab):
    assert len(nexus_pairs_of(lab, thorough=False)) == 2


@pytest.fixture
def two_hosts(lab):
    unit = msgspec.structs.replace(lab.logical_unit[1], also_on=["host2"])
    others = [
        PathEntry(name=f"other{n}", host="host2", engine=f"engine{n}", hctl=f"{8 + n}:0:1:*")
        for n in (1, 2)
    ]
    return msgspec.structs.replace(
        lab, logical_unit=[unit], host=[*lab.host, Host(name="host2")], path=[*lab.path, *others]
    )


@pytest.fixture
def records():
    return []


@pytest.fixture
def answers(monkeypatch):
    """What the path answers next, and the CDBs that it was sent."""
    pending = []

    def execute(_descriptor, command, **_):
        return pending.pop(0)

    monkeypatch.setattr(examiner_module.sg, "execute", execute)
    return pending


@pytest.fixture
def examiner(lab, sysfs, records, answers):
    device = resolve(lab, sysfs=sysfs).of_unit("lu1")[0]
    return Examiner(ConformancePath.of(device), 3, "Family", records.append)


def test_an_answer_as_expected_is_a_pass(examiner, records, answers):
    answers.append(ended())

    examiner.expect("readiness", bytes(6), clause="SPC-6 6.45")

    (record,) = records
    assert (record.verdict, record.family, record.path) == (Verdict.PASS, "Family", "path1")
    assert (record.cdb, record.expected, record.observed) == ("00 00 00 00 00 00", "GOOD", "GOOD")
    assert record.repeat_with == "sg_raw /dev/sg1 00 00 00 00 00 00"


def test_another_answer_is_a_fail_that_can_be_repeated(examiner, records, answers):
    answers.append(refused(SenseKey.ILLEGAL_REQUEST, 0x21, 0))

    examiner.expect("a read", bytes(10), clause="SBC-5 5.17", data_in_length=512)

    (record,) = records
    assert record.verdict is Verdict.FAIL
    assert record.observed.startswith("CHECK CONDITION, ILLEGAL REQUEST 21/00")
    assert record.repeat_with.startswith("sg_raw --request=512 /dev/sg1 00 00")


def test_a_claim_is_recorded_with_the_command_it_came_from(examiner, records):
    examiner.claim("size", False, clause="c", expected="2", observed="1", after=ended())

    (record,) = records
    assert (record.verdict, record.cdb) == (Verdict.FAIL, "00 00 00 00 00 00")


def test_what_does_not_apply_is_not_run_with_a_reason(examiner, records):
    examiner.not_run("serial", clause="c", expected="one", reason="optional")

    (record,) = records
    assert (record.verdict, record.reason) == (Verdict.NOT_RUN, "optional")
