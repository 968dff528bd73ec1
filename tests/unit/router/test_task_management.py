"""What a host aborts does not start any more; what is under way ends first."""

import pytest
from fake_ring import FakeKernel
from test_front import READ_8, WRITE_8, Bench

from reference_router.ring import Ring, RingError, TaskFunction
from reference_router.scsi import Status
from reference_router.service_state import LOGICAL_UNIT_RESET

ABORT_TASK, LUN_RESET = TaskFunction.ABORT_TASK, TaskFunction.LUN_RESET


def held(bench: Bench, *command_ids: int) -> None:
    """Queue writes to one place while a barrier is under way."""
    bench.front.mirror.hold()
    for command_id in command_ids:
        bench.kernel.queue(command_id, WRITE_8, ((0, 4096),))
    bench.front.take(0)


def end_all(bench: Bench) -> dict[int, int]:
    """Give the mirror's answers back as the engine does; return status by command id."""
    for command in bench.outbox.completions:
        bench.front.end(command.token.entry, command.response, None)
    bench.outbox.completions = []
    return {command_id: status for command_id, _, status, _, _ in bench.kernel.responses()}


def test_a_notification_names_its_commands():
    kernel = FakeKernel()
    kernel.queue(1, READ_8)
    kernel.queue_task_management(ABORT_TASK, 1, 7)
    ring = Ring(kernel.memory)

    (entry,) = ring.take()

    assert entry.command_id == 1
    assert ring.task_management == [(ABORT_TASK, {1, 7})]


def test_its_slot_is_given_back():
    kernel = FakeKernel()
    kernel.queue_task_management(LUN_RESET)
    ring = Ring(kernel.memory)

    assert list(ring.take()) == []
    assert kernel.tail == kernel.head


def test_more_commands_than_its_slot_holds_are_refused():
    kernel = FakeKernel()
    kernel.queue_task_management(ABORT_TASK, 1, count=500)

    with pytest.raises(RingError, match="task management of 500 commands in 40 bytes"):
        list(Ring(kernel.memory).take())


def test_a_command_that_waits_is_aborted():
    bench = Bench()
    held(bench, 1, 2)
    bench.kernel.queue_task_management(ABORT_TASK, 1)
    bench.front.take(0)

    assert end_all(bench) == {1: Status.TASK_ABORTED}


def test_it_does_not_start_later():
    bench = Bench()
    held(bench, 1)
    bench.kernel.queue_task_management(ABORT_TASK, 1)
    bench.front.take(0)
    bench.front.mirror.resume(0)

    assert bench.outbox.leg_io == []


def test_a_command_that_waits_for_another_write_is_aborted():
    bench = Bench()
    for command_id in (1, 2):
        bench.kernel.queue(command_id, WRITE_8, ((0, 4096),))
    bench.kernel.queue_task_management(ABORT_TASK, 2)
    bench.front.take(0)

    assert end_all(bench) == {2: Status.TASK_ABORTED}


def test_a_command_under_way_ends_by_itself():
    bench = Bench()
    bench.kernel.queue(1, WRITE_8, ((0, 4096),))
    bench.kernel.queue_task_management(ABORT_TASK, 1)
    bench.front.take(0)
    assert end_all(bench) == {}

    bench.front.mirror.leg_done(bench.outbox.leg_io[0], 0, 0)

    assert end_all(bench) == {1: Status.GOOD}


def test_a_reset_is_for_both_engines_to_agree_on():
    bench = Bench()
    held(bench, 1)
    bench.kernel.queue_task_management(LUN_RESET, 1)
    bench.front.take(0)

    ((request, nobody, _),) = bench.asked
    nobody.front.end(nobody.entry, None, None)
    assert (request.host, request.cdb) == ("alpha", LOGICAL_UNIT_RESET)
    assert end_all(bench) == {1: Status.TASK_ABORTED}


def test_an_abort_asks_nobody():
    bench = Bench()
    bench.kernel.queue_task_management(ABORT_TASK)
    bench.front.take(0)

    assert bench.asked == []
