"""Each defect does what it says, on a stage of values; the control does nothing."""

from pathlib import Path

import pytest

from certify.saboteurs.defect import Defect
from certify.saboteurs.defects import answers, data, identity, ordering, reservations, stalls
from certify.saboteurs.defects.arrays import ArrayWatch, LeavesArrayOut, ReadsReturnedLeg
from certify.saboteurs.values import (
    Command,
    Outcome,
    check_condition,
    read_16,
    sense,
    write_16,
)
from tests.unit.saboteurs.conftest import FakeStage, front, pattern

LBA = 96
INQUIRY_83 = Command(front=front("engine2"), cdb=bytes((0x12, 1, 0x83, 0, 255, 0)), room=255)


def write(stage, byte, *, lba=LBA, engine="engine1"):
    return stage.ask(write_16(front(engine), lba, pattern(byte)))


def test_the_control_changes_nothing():
    stage = FakeStage(Defect())

    assert write(stage, 7).good
    assert stage.read(LBA, engine="engine2") == pattern(7)
    assert (len(stage.sent), stage.held_s) == (2, 0.0)


def test_a_bit_is_flipped_in_each_nth_read():
    stage = FakeStage(data.FlipsBitOnRead(2))
    write(stage, 7)

    assert [stage.read(LBA) == pattern(7) for _ in range(4)] == [True, False, True, False]


def test_a_bit_is_flipped_in_each_nth_write():
    stage = FakeStage(data.FlipsBitOnWrite(1))
    write(stage, 7)

    seen = stage.read(LBA)
    assert sum(one != 7 for one in seen) == 1


def test_a_write_goes_elsewhere():
    stage = FakeStage(data.MisplacesWrite(1))
    write(stage, 7)

    assert stage.read(LBA) == pattern(0)
    assert stage.read(LBA ^ 32) == pattern(7)


def test_one_engine_swaps_blocks():
    stage = FakeStage(data.SwapsBlocks())
    place = 3 * 64
    write(stage, 7, lba=place)

    assert stage.read(place) == pattern(7)
    assert stage.read(place, engine="engine2") == pattern(0)


def test_a_stretch_reads_as_zeroes():
    stage = FakeStage(data.ReadsZeroes())
    write(stage, 7, lba=5 * 32)
    write(stage, 7, lba=6 * 32)

    assert stage.read(5 * 32) == pattern(0)
    assert stage.read(6 * 32) == pattern(7)


def test_a_write_is_acknowledged_and_forgotten():
    stage = FakeStage(data.DropsWrite(1))

    assert write(stage, 7).good
    assert stage.read(LBA) == pattern(0)


def test_half_of_a_write_is_done_while_an_engine_is_taken_over():
    stage = FakeStage(ordering.TearsAtFailover())
    write(stage, 1)
    stage.lose("engine1")

    assert write(stage, 2).good
    assert stage.read(LBA, engine="engine2") == pattern(2, 4) + pattern(1, 4)

    stage.pass_time(1.0)
    assert write(stage, 3).lost


def test_a_write_cache_is_seen_by_both_engines_and_lost_with_its_own():
    stage = FakeStage(ordering.WriteBehind(lost_with_engine=True))
    write(stage, 1)
    stage.pass_time(1.0)
    write(stage, 2)
    assert stage.read(LBA, engine="engine2") == pattern(2)

    stage.lose("engine1")
    stage.pass_time(1.0)

    assert stage.read(LBA, engine="engine2") == pattern(1)


def test_a_write_cache_that_is_not_lost_is_written_in_the_end():
    stage = FakeStage(ordering.WriteBehind(lost_with_engine=True))
    write(stage, 2)
    stage.pass_time(1.0)

    assert bytes(stage.disk[LBA * 512 : (LBA + 8) * 512]) == pattern(2)


def test_an_asynchronous_mirror_loses_what_an_array_has_not(tmp_path):
    state = tmp_path / "state"
    state.write_text("running\n")
    stage = FakeStage(ordering.WriteBehind(watch=ArrayWatch(state)))
    stage.defect.begin(stage)
    write(stage, 2)

    state.write_text("offline\n")
    stage.pass_time(1.0)

    assert stage.read(LBA) == pattern(0)


def test_old_writes_are_replayed_when_an_engine_returns():
    stage = FakeStage(ordering.ReplaysOldWrites())
    write(stage, 1)
    stage.lose("engine1")
    write(stage, 2, engine="engine2")
    assert stage.read(LBA, engine="engine2") == pattern(2)

    stage.give_back("engine1")

    assert stage.read(LBA) == pattern(1)


def test_an_acknowledged_write_comes_after_a_later_one():
    stage = FakeStage(ordering.ReordersWrites(2, count=1))
    write(stage, 1)
    assert stage.read(LBA) == pattern(1)
    write(stage, 2)
    assert stage.read(LBA) == pattern(2)

    stage.pass_time(4.0)

    assert stage.read(LBA) == pattern(1)


def test_an_engine_reads_what_it_last_wrote_itself():
    stage = FakeStage(ordering.ReadsOwnCache())
    write(stage, 1)
    write(stage, 2, engine="engine2")

    assert stage.read(LBA) == pattern(1)
    stage.pass_time(3.0)
    assert stage.read(LBA) == pattern(2)


def test_a_leg_is_read_at_once_when_it_returns(tmp_path: Path, monkeypatch):
    state, leg = tmp_path / "state", tmp_path / "leg"
    leg.write_bytes(pattern(9, 256))
    state.write_text("running\n")
    monkeypatch.setattr("os.O_DIRECT", 0)  # a file of the test's own need not be on a disk
    defect = ReadsReturnedLeg(ArrayWatch(state), leg=str(leg), unit="lu0")
    stage = FakeStage(defect)
    defect.begin(stage)
    assert stage.read(LBA) == pattern(0)

    for word in ("offline", "running"):
        state.write_text(word)
        stage.pass_time(0.1)

    assert stage.read(LBA) == pattern(9)
    stage.pass_time(10.0)
    assert stage.read(LBA) == pattern(0)


def test_an_array_that_returns_is_taken_out(tmp_path: Path, monkeypatch):
    state = tmp_path / "state"
    state.write_text("offline")
    started = []
    monkeypatch.setattr("subprocess.Popen", lambda argv, **_: started.append(argv))
    stage = FakeStage(LeavesArrayOut(ArrayWatch(state), ["take", "out"]))
    stage.defect.begin(stage)
    assert started == []

    state.write_text("running")
    stage.pass_time(0.1)

    assert started == [["take", "out"]]


def test_reservations_are_cleared_when_an_engine_is_lost():
    stage = FakeStage(reservations.ForgetsAtFailover())
    key = b"\0\0\0\0\0\0\0\x11"
    register = bytes((0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0))
    stage.ask(Command(front=front(), cdb=register, data_out=bytes(8) + key + bytes(8)))

    stage.lose("engine1")

    cleared = stage.sent[-1]
    assert (cleared.front, cleared.cdb[:2], cleared.data_out[:8]) == (
        front("engine2"),
        b"\x5f\x03",
        key,
    )


@pytest.mark.parametrize("tries", [1, 2])
def test_a_refused_write_is_done_in_the_name_of_the_holder(tries):
    """The holder is an I_T nexus: another host, through the one or the other engine."""
    stage = FakeStage(reservations.NotEnforced(), answers=[Outcome(status=0x18)] * tries)

    assert stage.ask(write_16(front("engine2", host="host2"), LBA, pattern(3))).good
    assert stage.read(LBA) == pattern(3)
    passed = [(one.front.engine, one.front.host) for one in stage.sent[1 : tries + 1]]
    assert passed == [("engine1", "host1"), ("engine2", "host1")][:tries]


def test_a_write_that_no_other_host_may_do_either_is_refused():
    """The holder is a third one: each is tried once, and the next write begins anew."""
    conflict = Outcome(status=0x18)
    stage = FakeStage(reservations.NotEnforced(), answers=[conflict] * 6)
    write = write_16(front(host="host2"), LBA, pattern(3))

    assert [stage.ask(write).status, stage.ask(write).status] == [0x18, 0x18]
    assert [one.front.host for one in stage.sent] == ["host2", "host1", "host1"] * 2


def test_the_second_engine_reports_no_keys():
    keys = Outcome(data=b"\0\0\0\1\0\0\0\x08" + bytes(8))
    stage = FakeStage(reservations.NotShared(), answers=[keys, keys])
    asked = bytes((0x5E, 0, 0, 0, 0, 0, 0, 0, 64, 0))

    through = [
        stage.ask(Command(front=front(engine), cdb=asked, room=64)).data
        for engine in ("engine1", "engine2")
    ]

    assert through == [keys.data, bytes(8)]


def test_relative_port_identifiers_are_made_the_same():
    page = bytes((0, 0x83, 0, 16, 0x61, 0x94, 0, 4, 0, 0, 0, 2, 0x61, 0x95, 0, 4, 0, 0, 0, 2))
    stage = FakeStage(identity.SameRelativePort(), answers=[Outcome(data=page)])

    seen = stage.ask(INQUIRY_83).data

    assert seen == page[:10] + b"\0\1" + page[12:]


def test_the_serial_number_differs_by_engine():
    page = Outcome(data=b"\0\x80\0\4ABCD")
    stage = FakeStage(identity.SerialDiffers(), answers=[page, page])
    asked = bytes((0x12, 1, 0x80, 0, 255, 0))

    seen = [
        stage.ask(Command(front=front(engine), cdb=asked, room=255)).data
        for engine in ("engine1", "engine2")
    ]

    assert seen == [page.data, b"\0\x80\0\4ABCX"]


def test_a_port_group_is_called_standby():
    groups = bytes((0, 0, 0, 12, 0x80, 0x8F, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1))
    stage = FakeStage(identity.AccessStateWrong(), answers=[Outcome(data=groups)])
    command = Command(front=front(), cdb=bytes((0xA3, 0x0A, *bytes(10))), room=64)

    assert stage.ask(command).data[4] == 0x82


def test_a_command_is_left_out_of_the_list_and_denied():
    one = bytes((0x28, 0, 0, 0, 0, 0, 0, 10))
    denied = bytes((0x89, 0, 0, 0, 0, 2, 0, 16)) + bytes(12)
    listed = (len(one + denied)).to_bytes(4, "big") + denied + one
    stage = FakeStage(
        identity.DeniesCommand(),
        answers=[Outcome(data=listed), Outcome(data=b"\0\3\0\x10" + bytes(16))],
    )
    everything = Command(front=front(), cdb=bytes((0xA3, 0x0C, *bytes(10))), room=512)
    alone = Command(front=front(), cdb=bytes((0xA3, 0x0C, 1, 0x89, *bytes(8))), room=512)

    assert stage.ask(everything).data == (8).to_bytes(4, "big") + one
    assert stage.ask(alone).data == b"\0\1\0\0"


@pytest.mark.parametrize(
    ("defect", "seen", "told"),
    [
        (answers.WrongSenseBeyondEnd(), (5, 0x21), (2, 5, 0x24)),
        (answers.AcceptsUnknown(), (5, 0x20), (0, 0, 0)),
    ],
)
def test_an_answer_is_changed(defect, seen, told):
    stage = FakeStage(defect, answers=[check_condition(*seen)])

    outcome = stage.ask(read_16(front(), 0, 1))

    assert (outcome.status, outcome.sense_key, outcome.asc) == told


def test_a_unit_attention_is_kept_from_the_host():
    attention = Outcome(status=2, sense=sense(6, 0x29))
    stage = FakeStage(answers.NoUnitAttention(), answers=[attention, attention])

    assert stage.ask(read_16(front(), 0, 1)).good
    assert len(stage.sent) == 3


def test_a_lost_engine_answers_with_a_medium_error():
    stage = FakeStage(answers.ErrorAtFailover())
    stage.lose("engine1")

    assert write(stage, 1).sense_key == 3
    assert stage.ask(Command(front=front(), cdb=bytes(16))).sense_key == 2


def test_io_is_held_after_the_loss_of_an_engine():
    stage = FakeStage(stalls.HoldsAtFailover(3.0))
    write(stage, 1)
    assert stage.held_s == 0.0

    stage.lose("engine1")
    stage.pass_time(1.0)
    write(stage, 1, engine="engine2")

    assert stage.held_s == pytest.approx(2.0)


def test_io_is_held_after_the_return_of_an_engine():
    stage = FakeStage(stalls.HoldsAtFailback(3.0))
    stage.lose("engine1")
    write(stage, 1, engine="engine2")
    assert stage.held_s == 0.0

    stage.give_back("engine1")
    write(stage, 1)

    assert stage.held_s == pytest.approx(3.0)


def test_io_is_held_once_in_a_period():
    stage = FakeStage(stalls.Pauses(2.0, period_s=60.0))
    stage.pass_time(57.0)
    write(stage, 1)
    assert stage.held_s == 0.0

    stage.pass_time(1.5)
    write(stage, 1)

    assert stage.held_s == pytest.approx(1.5)


def test_a_lost_engine_stays_away():
    stage = FakeStage(stalls.StaysAway())
    stage.lose("engine1")
    stage.give_back("engine1")

    assert write(stage, 1).lost
    assert write(stage, 1, engine="engine2").good
