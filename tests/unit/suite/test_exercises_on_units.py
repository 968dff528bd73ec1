"""Exercises on units that are right, and on units with one defect each, which they must find."""

import functools
import threading

import pytest

from certify.devices import LabDevices, PathDevice, ScsiDisk
from certify.exercise import Stage
from certify.exercises import compare_race, long_writes, nexus, reservation, resets
from certify.lab import Engine, General, Host, Lab, LogicalUnit, PathEntry, Target
from certify.scsi import Completion, Sense, Status

BLOCK = 512
LOOKS_MAX = 2000
UNIT = LogicalUnit(name="lu1", wwid="36001", purpose="conformance", also_on=["host2"])


class Unit:
    """A logical unit behind two engines, as data; a defect is a method that a subclass overrides.

    Answers TEST UNIT READY, reads, writes, WRITE SAME, UNMAP, COMPARE AND WRITE and what
    reservations need.
    """

    def __init__(self):
        self.blocks = {}
        self.keys = {}
        self.holder = None
        self.pending = {}
        self.lock = threading.RLock()

    def once(self, path, command, *, data_out=None, data_in_length=0):
        with self.lock:
            who = (path.host, path.engine)
            if self.pending.get(who):
                return ended(command, sense=(6, *self.pending[who].pop(0)))
            return self.answer(who, command, data_out)

    def answer(self, who, command, data):
        lba = int.from_bytes(command[2:10])
        count = int.from_bytes(command[10:14])
        match command[0]:
            case 0x88:
                stored = (self.blocks.get(lba + n, bytes(BLOCK)) for n in range(count))
                return ended(command, data=b"".join(stored))
            case 0x8A if self.conflicts(who):
                return ended(command, status=Status.RESERVATION_CONFLICT)
            case 0x8A:
                self.blocks |= {lba + n: data[n * BLOCK : (n + 1) * BLOCK] for n in range(count)}
            case 0x93:
                self.blocks |= {lba + n: data for n in range(count)}
            case 0x89:
                return self.swap(command, lba, data)
            case 0x5F:
                return self.reserve(who, command, data)
            case 0x5E:
                held = self.holder
                body = held[1].to_bytes(8) + bytes((0, 0, 0, 0, 0, 1, 0, 0)) if held else b""
                return ended(command, data=bytes(4) + len(body).to_bytes(4) + body)
        return ended(command)

    def swap(self, command, lba, data):
        if self.blocks.get(lba, bytes(BLOCK)) != data[:BLOCK]:
            return ended(command, sense=(0xE, 0x1D, 0x00))
        self.blocks[lba] = data[BLOCK:]
        return ended(command)

    def conflicts(self, who):
        return self.holder is not None and self.holder[0] != who

    def reserve(self, who, command, data):
        key, action_key = int.from_bytes(data[:8]), int.from_bytes(data[8:16])
        match command[1]:
            case 6:
                self.keys[who] = action_key
            case 1:
                self.holder = (who, key)
            case 3:
                self.keys, self.holder = {}, None
            case 4:
                self.keys = {one: had for one, had in self.keys.items() if had != action_key}
                self.holder = (who, key)
        return ended(command)

    def reset(self, descriptor):
        for who in (("host1", "engine1"), ("host2", "engine1"), ("host2", "engine2")):
            self.pending.setdefault(who, []).append((0x29, 0x03))


class ForgetsReservations(Unit):
    """Forgets the reservation when host 2 comes by engine 2."""

    def answer(self, who, command, data):
        if command[0] == 0x5E:
            self.holder = None
        return super().answer(who, command, data)


class NeverEnforces(Unit):
    """Knows who holds the reservation, and lets everybody write."""

    def conflicts(self, who):
        return False


class TwoWinners(Unit):
    """Says GOOD to every COMPARE AND WRITE."""

    def swap(self, command, lba, data):
        super().swap(command, lba, data)
        return ended(command)


class OddSense(Unit):
    """Says ILLEGAL REQUEST's additional sense with MISCOMPARE."""

    def swap(self, command, lba, data):
        done = super().swap(command, lba, data)
        return done if done.is_good else ended(command, sense=(0xE, 0x24, 0x00))


class TellsNobody(Unit):
    """Establishes no unit attention after a reset."""

    def reset(self, descriptor):
        self.pending = {}


class TellsTwice(Unit):
    """Tells of a reset twice."""

    def reset(self, descriptor):
        super().reset(descriptor)
        super().reset(descriptor)


class Fails(Unit):
    """Fails the first long commands by engine 1, half done."""

    left = 3

    def answer(self, who, command, data):
        if command[0] == 0x93 and who[1] == "engine1" and self.left:
            self.left -= 1
            lba = int.from_bytes(command[2:10])
            self.blocks |= {lba + n: data for n in range(7)}
            return ended(command, sense=(0xB, 0x00, 0x00))
        return super().answer(who, command, data)


class HalfDone(Fails):
    """Does only a half of what is sent again."""

    def answer(self, who, command, data):
        if command[0] == 0x93 and who[1] == "engine2":
            command = command[:10] + (512).to_bytes(4) + command[14:]
        return super().answer(who, command, data)


def ended(command, *, status=Status.GOOD, sense=None, data=b""):
    decoded = None
    if sense:
        status = Status.CHECK_CONDITION
        key, asc, ascq = sense
        decoded = Sense(
            key=key,
            asc=asc,
            ascq=ascq,
            deferred=False,
            information=None,
            field_pointer=None,
            raw=b"",
        )
    return Completion(
        cdb=command,
        status=status,
        sense=decoded,
        residual=0,
        host_status=0,
        driver_status=0,
        data=data,
        sent_ns=0,
        done_ns=0,
    )


class Reports(dict):
    """What was reported: name to whether it was good."""

    def event(self, kind, subject, detail="", data=None, t_ns=None):
        self[subject] = data["good"]


LAB = Lab(
    schema=1,
    lab=General(name="l"),
    system_under_test=Target(name="t"),
    host=[Host(name="host1"), Host(name="host2")],
    logical_unit=[UNIT],
    path=[PathEntry(name="p", engine="engine1", hctl="1:0:0:*")],
    engine=[Engine(name="engine1"), Engine(name="engine2")],
)


def run(monkeypatch, exercise, unit, *, until=None):
    """Run an exercise whose fault phase is always on; return what it reported."""
    disk = ScsiDisk(
        hctl="1:0:0:1", sd="sda", sg="null", wwids=(), size_bytes=32 << 20, block_bytes=BLOCK
    )
    paths = tuple(
        PathDevice(path=f"{host}-{engine}", engine=engine, host=host, unit=UNIT, disk=disk)
        for host in ("host1", "host2")
        for engine in ("engine1", "engine2")
    )
    monkeypatch.setattr(
        nexus.Nexus, "once", lambda self, *args, **more: unit.once(self.path, *args, **more)
    )
    monkeypatch.setattr(resets.sg, "reset_unit", unit.reset)
    monkeypatch.setattr(resets, "TOLD_MS", 60.0)
    for module in (reservation, resets):
        monkeypatch.setattr(module, "AFTER_S", 0.0)
    reports = Reports()
    made = exercise(
        stage=Stage(
            lab=LAB,
            devices=LabDevices(paths=paths, maps=(), control=None),
            events=reports,
            shells=None,
            run_id="r",
            seed=1,
            ordinal=1,
            phase=lambda: "fault",
        )
    )
    made.start()
    happened = threading.Event()
    looks = 0
    while until and not until(made, reports) and looks < LOOKS_MAX:
        looks += 1
        happened.wait(0.005)
    made.stop()
    return reports


def bad(reports):
    return sorted(name for name, good in reports.items() if not good)


PREEMPTED = "reservation: enforced after the preemption"
reserve = functools.partial(
    run, exercise=reservation.HeldReservation, until=lambda _, seen: PREEMPTED in seen
)
race = functools.partial(
    run, exercise=compare_race.CompareRace, until=lambda made, _: len(made._swaps) > 40
)
reset = functools.partial(
    run, exercise=resets.ResetDuringFailover, until=lambda _, seen: len(seen) > 0
)
write = functools.partial(
    run, exercise=long_writes.LongWrites, until=lambda made, _: made._sent > 4
)


@pytest.mark.parametrize(
    ("exercise", "unit"), [(reserve, Unit), (race, Unit), (reset, Unit), (write, Fails)]
)
def test_a_right_unit_is_right(monkeypatch, exercise, unit):
    reports = exercise(monkeypatch, unit=unit())

    assert bad(reports) == []
    assert reports


def test_a_reservation_leaves_nothing_behind(monkeypatch):
    unit = Unit()
    reserve(monkeypatch, unit=unit)

    assert (unit.keys, unit.holder) == ({}, None)


def test_a_forgotten_reservation_is_found(monkeypatch):
    found = bad(reserve(monkeypatch, unit=ForgetsReservations()))

    assert "reservation: held while its engine is dead" in found
    assert "reservation: enforced while its engine is dead" in found


def test_a_reservation_that_keeps_nobody_out_is_found(monkeypatch):
    found = bad(reserve(monkeypatch, unit=NeverEnforces()))

    assert {name for name in found if ": enforced " in name} == set(found)
    assert len(found) == 4


def test_two_winners_are_found(monkeypatch):
    assert "compare and write" in bad(race(monkeypatch, unit=TwoWinners()))


def test_a_wrong_miscompare_is_found(monkeypatch):
    found = bad(race(monkeypatch, unit=OddSense()))

    assert found == ["compare and write: sense data of who lost"]


@pytest.mark.parametrize("unit", [TellsNobody, TellsTwice])
def test_a_reset_that_is_not_told_once_is_found(monkeypatch, unit):
    found = bad(reset(monkeypatch, unit=unit()))

    assert found == ["logical unit reset: told once to another nexus"]


def test_a_half_done_command_is_found(monkeypatch):
    assert bad(write(monkeypatch, unit=HalfDone())) == ["long writes"]


def test_without_a_command_that_failed_nothing_is_said(monkeypatch):
    assert write(monkeypatch, unit=Unit()) == {"long writes": None}
