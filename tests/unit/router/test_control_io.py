"""Each control command ends once, in order of its leg; a hung leg stops neither others nor us."""

import os
import select
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from reference_router.control_io import GIVE_UP_MS, QUEUE_LIMIT, Controls
from reference_router.keys import Control, ControlOp, ControlResult, Outcome
from reference_router.reserve_codec import ScsiCommand, ScsiEnd

WAIT_S = 10
ATTENTION = ScsiEnd(status=2, sense=b"\x72\x06\x2a\x05")
GOOD = ControlResult(outcome=Outcome.GOOD)


@dataclass
class Leg:
    """A device that is open, or not."""

    fd: int


class Array:
    """An array that ends commands as told, and holds those to its hung leg until it is released."""

    def __init__(self) -> None:
        self.ends: list[ScsiEnd] = []
        self.seen: list[tuple[os.stat_result, ScsiCommand]] = []
        self.hung_fd_inode = -1
        self.at_command = lambda: None
        self.entered = threading.Semaphore(0)
        self.released = threading.Semaphore(0)

    def execute(self, fd: int, command: ScsiCommand) -> ScsiEnd:
        stat = os.fstat(fd)
        self.seen.append((stat, command))
        self.at_command()
        if stat.st_ino == self.hung_fd_inode:
            self.entered.release()
            assert self.released.acquire(timeout=WAIT_S)
        return self.ends.pop(0) if self.ends else ScsiEnd()


class Lab:
    """Two legs and a clock."""

    def __init__(self, files: list[int]) -> None:
        self.array = Array()
        self.now_ns = 0
        self.may_abort = True
        self.legs = {("lu0", leg): Leg(fd) for leg, fd in enumerate(files)}
        self.controls = Controls(
            self.legs,
            execute=self.array.execute,
            may_abort=lambda _fd: self.may_abort,
            clock=lambda: self.now_ns,
        )

    def hang(self, leg: int) -> None:
        self.array.hung_fd_inode = os.fstat(self.legs["lu0", leg].fd).st_ino

    def submit(self, *controls: Control) -> None:
        self.controls.submit(list(controls))

    def reap(self, count: int) -> list[tuple[Control, ControlResult]]:
        """Wait for at least `count` ends."""
        poller = select.epoll()
        poller.register(self.controls.event_fd, select.EPOLLIN | select.EPOLLET)
        ended = list(self.controls.ended())
        while len(ended) < count:
            assert poller.poll(WAIT_S), f"only {len(ended)} of {count} ended"
            ended += self.controls.ended()
        poller.close()
        return ended


def descriptors_of_the_file_of(fd: int) -> int:
    """How many descriptors this process has of a file; those of other tests' garbage are others."""
    file = os.fstat(fd)
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            count += os.path.samestat(entry.stat(), file)
    return count


def register(leg: int = 0, other: int = 1) -> Control:
    return Control("lu0", leg, ControlOp.REGISTER, 0, other)


@pytest.fixture
def lab(tmp_path):
    fds = [os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in ("a", "b")]
    made = Lab(fds)
    yield made
    made.array.released.release(100)
    for leg in made.legs.values():
        if leg.fd >= 0:
            os.close(leg.fd)


def test_control_comes_back_with_its_result(lab):
    control = register()
    lab.submit(control)
    assert lab.reap(1) == [(control, GOOD)]


def test_controls_of_a_leg_are_executed_in_order(lab):
    controls = [register(other=number) for number in range(QUEUE_LIMIT)]
    lab.submit(*controls)
    assert [control for control, _ in lab.reap(QUEUE_LIMIT)] == controls
    assert [command.parameters[15] for _, command in lab.array.seen] == list(range(QUEUE_LIMIT))


def test_keys_are_read_by_two_commands(lab):
    key = bytes.fromhex("00000001 00000008 0000000000000011")
    lab.array.ends = [ScsiEnd(answer=key), ScsiEnd(answer=bytes(8))]
    lab.submit(Control("lu0", 0, ControlOp.READ_KEYS))
    ((_, result),) = lab.reap(1)
    assert result == ControlResult(outcome=Outcome.GOOD, keys=(0x11,))


def test_second_command_is_not_sent_after_a_bad_first_one(lab):
    lab.array.ends = [ScsiEnd(failure="SG_IO: No such device")]
    lab.submit(Control("lu0", 0, ControlOp.READ_KEYS))
    assert lab.reap(1)[0][1].why == "SG_IO: No such device"
    assert len(lab.array.seen) == 1


def test_command_is_sent_again_after_unit_attentions(lab):
    lab.array.ends = [ATTENTION, ATTENTION, ScsiEnd(status=0x18)]
    lab.submit(register())
    assert lab.reap(1)[0][1].outcome is Outcome.CONFLICT
    assert len(lab.array.seen) == 3


def test_unit_attention_without_end_is_an_error(lab):
    lab.array.ends = [ATTENTION] * 50
    lab.submit(register())
    assert lab.reap(1)[0][1].why == "CHECK CONDITION, sense 6/2a/05"


@pytest.mark.parametrize(("may_abort", "action"), [(True, 5), (False, 4)])
def test_abort_only_where_it_is_safe(lab, may_abort, action):
    lab.may_abort = may_abort
    lab.submit(Control("lu0", 0, ControlOp.PREEMPT_AND_ABORT, 1, 2))
    lab.reap(1)
    assert [command.cdb[1] for _, command in lab.array.seen] == [action]


def test_leg_without_a_device_is_an_error_at_once(lab):
    os.close(lab.legs["lu0", 0].fd)
    lab.legs["lu0", 0].fd = -1
    lab.submit(register())
    ((_, result),) = lab.reap(1)
    assert result == ControlResult(outcome=Outcome.ERROR, why="no device")


def test_hung_leg_does_not_stop_the_other(lab):
    lab.hang(0)
    lab.submit(register(0))
    assert lab.array.entered.acquire(timeout=WAIT_S)
    other = register(1)
    lab.submit(other)
    assert lab.reap(1) == [(other, GOOD)]


def test_waiting_commands_are_bounded(lab):
    lab.hang(0)
    lab.submit(*(register(other=number) for number in range(QUEUE_LIMIT)))
    late = register()
    lab.submit(late)
    ((control, result),) = lab.reap(1)
    assert (control, result.why) == (late, "still busy")


def test_stuck_command_is_given_up_and_those_behind_it_are_never_sent(lab):
    lab.hang(0)
    stuck, behind = register(other=1), register(other=2)
    lab.submit(stuck, behind)
    assert lab.array.entered.acquire(timeout=WAIT_S)
    lab.now_ns = GIVE_UP_MS * 1_000_000
    ended = dict(lab.controls.ended())
    assert ended[stuck].outcome is Outcome.ERROR
    assert "may take effect yet" in ended[stuck].why
    assert ended[behind].why == "still busy"

    lab.submit(late := register())
    assert lab.reap(1)[0] == (late, ControlResult(outcome=Outcome.ERROR, why="still busy"))
    assert len(lab.array.seen) == 1


def test_leg_is_used_again_after_its_stuck_command_has_ended(lab):
    lab.hang(0)
    lab.submit(register())
    assert lab.array.entered.acquire(timeout=WAIT_S)
    lab.now_ns = GIVE_UP_MS * 1_000_000
    assert len(list(lab.controls.ended())) == 1

    poller = select.epoll()
    poller.register(lab.controls.event_fd, select.EPOLLIN | select.EPOLLET)
    lab.array.hung_fd_inode = -1
    lab.array.released.release()
    assert poller.poll(WAIT_S)
    poller.close()
    assert list(lab.controls.ended()) == []
    again = register()
    lab.submit(again)
    assert lab.reap(1) == [(again, GOOD)]


def test_time_in_the_queue_does_not_count_as_stuck(lab):
    lab.hang(0)
    lab.submit(register(other=1), register(other=2))
    assert lab.array.entered.acquire(timeout=WAIT_S)
    lab.now_ns = GIVE_UP_MS * 1_000_000 - 1
    lab.array.released.release()
    assert len(lab.reap(1)) == 1
    assert lab.array.entered.acquire(timeout=WAIT_S)
    lab.now_ns += 2
    assert list(lab.controls.ended()) == []


def test_device_closed_meanwhile_is_still_the_one_that_is_used(lab, tmp_path):
    leg = lab.legs["lu0", 0]
    inode = os.fstat(leg.fd).st_ino
    lab.hang(0)
    lab.submit(register(other=1), register(other=2))
    assert lab.array.entered.acquire(timeout=WAIT_S)
    os.close(leg.fd)
    leg.fd = os.open(tmp_path / "another", os.O_RDWR | os.O_CREAT)
    lab.array.released.release(2)
    lab.reap(2)
    assert [stat.st_ino for stat, _ in lab.array.seen] == [inode, inode]


def test_descriptors_are_given_back(lab):
    leg = lab.legs["lu0", 0].fd
    seen_while_executed = []
    lab.array.at_command = lambda: seen_while_executed.append(descriptors_of_the_file_of(leg))
    lab.submit(*(register(other=number) for number in range(QUEUE_LIMIT)))
    lab.reap(QUEUE_LIMIT)
    assert min(seen_while_executed) >= 2  # the leg's and the command's own
    assert descriptors_of_the_file_of(leg) == 1
