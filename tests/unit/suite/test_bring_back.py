"""An engine that died without a fault of ours is started, so that the next scenario can run."""

from collections.abc import Sequence

import msgspec
import pytest

from certify.bring_back import WAIT_S, bring_back
from certify.lab import Command
from fault_injectors import Completed, FaultError

from .test_scenarios import make_lab

READY = Command(argv=["ready"])
START = Command(argv=["start"])


class Engines:
    """Two engines, the second dead; `start` brings it back after a while, or never."""

    def __init__(self, *, after_s: float) -> None:
        self.now_s = 0.0
        self.after_s = after_s
        self.started_s: float | None = None
        self.asked: list[str] = []
        lab = make_lab()
        engines = [
            msgspec.structs.replace(one, reach=one.name, ready=READY, start=START)
            for one in lab.engine
        ]
        self.lab = msgspec.structs.replace(lab, engine=engines)
        self.reach = ""

    def shells(self, reach: str) -> "Engines":
        self.reach = reach
        return self

    def run(self, argv: Sequence[str], *, timeout_s: float, check: bool = True) -> Completed:
        self.asked.append(f"{self.reach} {argv[0]}")
        if argv[0] == "start":
            self.started_s = self.now_s
        if argv[0] == "ready" and self.reach == "engine2":
            raise FaultError("not ready")
        return Completed(argv=tuple(argv), exit_status=0, stdout="", stderr="")

    def problems(self) -> list[str]:
        started = self.started_s is not None
        back = started and self.now_s - (self.started_s or 0.0) >= self.after_s
        return [] if back else ["engine engine2 is not ready"]

    def go(self) -> tuple[list[str], list[str]]:
        return bring_back(
            self.lab,
            self.problems,
            shells=self.shells,  # type: ignore[arg-type]
            clock=lambda: int(self.now_s * 1e9),
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def test_engine_that_does_not_serve_is_started_and_awaited() -> None:
    world = Engines(after_s=20.0)

    assert world.go() == (["engine2"], [])
    asked = ["engine1 ready", "engine2 ready", "engine2 true", "engine2 start"]
    assert world.asked == asked
    assert world.now_s == pytest.approx(20.0)


def test_engine_that_does_not_come_back_is_told_after_a_minute() -> None:
    world = Engines(after_s=1e9)

    assert world.go() == (["engine2"], ["engine engine2 is not ready"])
    assert world.now_s == pytest.approx(WAIT_S)
