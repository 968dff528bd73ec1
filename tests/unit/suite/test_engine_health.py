"""Why an engine is not ready: one that has no process needs somebody who starts it."""

import pytest

from certify.health import engine_problems
from certify.lab import Command, Engine
from fault_injectors import Completed, FaultError
from fault_injectors.shell import UNREACHABLE


class Machine:
    """The machine of an engine that never is ready."""

    def __init__(self, pid: str | None) -> None:
        self.pid = pid

    def run(self, argv: list[str], *, timeout_s: float, check: bool = True) -> Completed:
        if argv == ["ready"] or self.pid is None:
            raise FaultError(f"{argv[0]}: exit status 1")
        return Completed(argv=tuple(argv), exit_status=0, stdout=self.pid, stderr="")


@pytest.mark.parametrize(
    ("pid", "why"),
    [
        ("4711\n", "ready: exit status 1"),
        ("\n", "its process has ended; its log says why"),
        (None, "its process has ended; its log says why"),
    ],
)
def test_an_engine_without_a_process_is_told_apart(pid: str | None, why: str) -> None:
    engine = Engine(name="engine1", ready=Command(argv=["ready"]), pid=Command(argv=["pid"]))

    seen = engine_problems(engine, lambda _: Machine(pid))  # type: ignore[arg-type, return-value]

    assert seen == [f"engine engine1 is not ready: {why}"]


def test_of_a_machine_that_cannot_be_reached_nothing_is_said_of_processes() -> None:
    class Gone:
        def run(self, argv: list[str], *, timeout_s: float, check: bool = True) -> Completed:
            raise FaultError(f"ssh:root@dr1 {UNREACHABLE}: {argv[0]}: no route")

    engine = Engine(name="dr1", ready=Command(argv=["ready"]), pid=Command(argv=["pid"]))

    seen = engine_problems(engine, lambda _: Gone())  # type: ignore[arg-type, return-value]

    assert seen == ["engine dr1 is not ready: ssh:root@dr1 cannot be reached: ready: no route"]
