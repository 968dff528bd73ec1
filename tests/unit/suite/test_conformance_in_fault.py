"""Conformance in a fault: a path in trouble is excused, a wrong answer is found."""

import threading

import pytest

from certify.devices import LabDevices, PathDevice, ScsiDisk
from certify.exercise import Stage
from certify.exercises import conformance
from certify.exercises.conformance import NAME, ConformanceInFault
from certify.exercises.nexus import Nexus
from certify.lab import LogicalUnit
from certify.scsi import Completion, HostStatus, SenseKey, Status, decode_sense

BLOCK = 512
BLOCKS = 4096
ANSWERS = 400
UNIT = LogicalUnit(name="lu1", wwid="36001", purpose="conformance")


def ended(command, *, data=b"", sense=None, host_status=0, status=Status.GOOD):
    raw = b""
    if sense is not None:
        key, asc, ascq = sense
        raw = bytes((0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0))
        status = Status.CHECK_CONDITION
    return Completion(
        cdb=command,
        status=status,
        sense=decode_sense(raw),
        residual=0,
        host_status=host_status,
        driver_status=0,
        data=data,
        sent_ns=0,
        done_ns=0,
    )


class Unit:
    """A unit that answers rightly; `in_fault` is set once questions are asked in the fault."""

    def __init__(self):
        self.blocks = {}
        self.lock = threading.Lock()
        self.asked = 0
        self.enough = threading.Event()

    def once(self, nexus, command, *, data_out=None, data_in_length=0):
        with self.lock:
            self.asked += 1
            if self.asked > ANSWERS:
                self.enough.set()
            return self.answer(nexus.path.engine, command, data_out, data_in_length)

    def answer(self, engine, command, data_out, length):
        lba = int.from_bytes(command[2:10])
        match command[0]:
            case 0x97:
                return ended(command, sense=(5, 0x20, 0))
            case 0x88 if lba >= BLOCKS:
                return ended(command, sense=(5, 0x21, 0))
            case 0x88:
                return ended(command, data=self.blocks.get(lba, bytes(BLOCK)))
            case 0x8A:
                self.blocks[lba] = data_out
        return ended(command, data=bytes((command[0], command[2])).ljust(length, b"\0"))

    @property
    def in_fault(self):
        return self.asked > 40


class Gone(Unit):
    """One engine's paths are gone in the fault: no device, then a host status, then NOT READY."""

    def answer(self, engine, command, data_out, length):
        if engine == "engine1" and self.in_fault:
            if self.asked % 3 == 0:
                raise OSError(6, "No such device or address")
            if self.asked % 3 == 1:
                return ended(command, host_status=HostStatus.NO_CONNECT)
            return ended(command, sense=(SenseKey.NOT_READY, 0x04, 0x0C))
        return super().answer(engine, command, data_out, length)


class TellsOnce(Unit):
    """A unit attention now and then."""

    def answer(self, engine, command, data_out, length):
        if self.in_fault and self.asked % 7 == 0:
            return ended(command, sense=(SenseKey.UNIT_ATTENTION, 0x2A, 0x06))
        return super().answer(engine, command, data_out, length)


class TellsForEver(Unit):
    """A unit attention that never ends."""

    def answer(self, engine, command, data_out, length):
        if self.in_fault and engine == "engine2":
            return ended(command, sense=(SenseKey.UNIT_ATTENTION, 0x2A, 0x06))
        return super().answer(engine, command, data_out, length)


class Stale(Unit):
    """Engine 2 reads what was there before the fault."""

    def __init__(self):
        super().__init__()
        self.before = None

    def answer(self, engine, command, data_out, length):
        if self.in_fault and self.before is None:
            self.before = dict(self.blocks)
        if self.in_fault and engine == "engine2" and command[0] == 0x88:
            lba = int.from_bytes(command[2:10])
            if lba in self.before:
                return ended(command, data=self.before[lba])
        return super().answer(engine, command, data_out, length)


class OtherIdentity(Unit):
    """INQUIRY data changes in the fault."""

    def answer(self, engine, command, data_out, length):
        got = super().answer(engine, command, data_out, length)
        if self.in_fault and command[0] == 0x12 and not command[1]:
            return ended(command, data=b"\xff".ljust(length, b"\0"))
        return got


class KnowsEverything(Unit):
    """An unknown command is GOOD in the fault."""

    def answer(self, engine, command, data_out, length):
        if self.in_fault and command[0] == 0x97:
            return ended(command)
        return super().answer(engine, command, data_out, length)


class WrongSense(Unit):
    """A path in trouble says MEDIUM ERROR."""

    def answer(self, engine, command, data_out, length):
        if self.in_fault and engine == "engine1":
            return ended(command, sense=(SenseKey.MEDIUM_ERROR, 0x11, 0x00))
        return super().answer(engine, command, data_out, length)


class Torn(Unit):
    """A write is done by half."""

    def answer(self, engine, command, data_out, length):
        if self.in_fault and command[0] == 0x8A:
            data_out = data_out[: BLOCK // 2] + bytes(BLOCK // 2)
        return super().answer(engine, command, data_out, length)


class Reports:
    """What was reported."""

    def event(self, kind, subject, detail="", data=None, t_ns=None):
        assert subject == NAME
        self.good, self.detail = data["good"], detail


def path(number):
    disk = ScsiDisk(
        hctl=f"{number}:0:1:1",
        sd=f"sd{number}",
        sg=f"sg{number}",
        wwids=(UNIT.wwid,),
        size_bytes=BLOCKS * BLOCK,
        block_bytes=BLOCK,
    )
    return PathDevice(
        path=f"p{number}", engine=f"engine{number}", host="host1", unit=UNIT, disk=disk
    )


@pytest.fixture
def reports(monkeypatch, tmp_path):
    """Run the exercise on a unit in a phase; return what was reported."""

    def run(unit, phase="fault"):
        monkeypatch.setattr(conformance, "PAUSE_S", 0)
        monkeypatch.setattr(Nexus, "once", lambda self, *a, **k: unit.once(self, *a, **k))
        told = Reports()
        stage = Stage(
            lab=None,
            devices=LabDevices(paths=(path(1), path(2)), maps=(), control=None),
            events=told,
            shells=None,
            run_id="r",
            seed=1,
            ordinal=1,
            phase=lambda: phase,
            logs=tmp_path,
        )
        exercise = ConformanceInFault(stage=stage)
        exercise.start()
        if phase == "fault":
            assert unit.enough.wait(30)
        exercise.stop()
        return told

    return run


@pytest.mark.parametrize("unit", [Unit, Gone, TellsOnce])
def test_right_answers_and_a_path_in_trouble_pass(reports, unit):
    told = reports(unit())

    assert told.good is True, told.detail
    assert "right" in told.detail


@pytest.mark.parametrize(
    "unit", [TellsForEver, Stale, OtherIdentity, KnowsEverything, WrongSense, Torn]
)
def test_a_wrong_answer_is_found(reports, unit):
    told = reports(unit())

    assert told.good is False
    assert "wrong" in told.detail


def test_nothing_asked_in_the_fault_says_nothing(reports):
    told = reports(Unit(), phase="before")

    assert told.good is None
    assert told.detail == "nothing"
