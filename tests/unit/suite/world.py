"""All ports of the runner in one, with a clock that only moves when somebody sleeps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from certify.exercise import Exercise
from certify.ports import Injection, Ports
from certify.probes import Pulse
from certify.runner import ScenarioRun
from certify.scenarios.base import Break, Step
from fault_injectors import PathPull, Proof
from reports.record import EventKind, EventRecord, IoRecord

from .conftest import make_plan

BREAK = Break.of(PathPull(subject="engine1", hctl=("1:0:0:*",)), "local")
SEEN = Proof(effective=True, seen="seen")
QUIET = Pulse(ended=1, errors=0, last_ms=1.0, worst_ms=1.0, waiting_ms=0.0)


@dataclass
class World:
    """All ports in one, and what a test wants to happen."""

    now_s: float = 0.0
    events: list[tuple[EventKind, str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    whole_after_s: float = 0.0
    stalled: tuple[float, float] = (0.0, 0.0)
    proof: Proof = SEEN
    mended: Proof = SEEN
    inject_fails: Exception | None = None
    probe_failure: str = ""
    interrupt_at_s: float = 1e9
    outstanding: bool = False

    # clock
    def clock(self) -> int:
        return int(self.now_s * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self.interrupt_at_s:
            self.interrupt_at_s = 1e9
            raise KeyboardInterrupt

    # history
    def begin(self, scenario: str, repeat: int) -> None:
        self.calls.append(f"begin {scenario} {repeat}")

    def end(self) -> None:
        self.calls.append("end")

    def event(
        self,
        kind: EventKind,
        subject: str,
        detail: str = "",
        data: dict[str, Any] | None = None,
        t_ns: int | None = None,
    ) -> EventRecord:
        self.events.append((kind, subject, detail))
        return EventRecord(t_ns=0, scenario="", repeat=0, kind=kind, subject=subject)

    def io(self, record: IoRecord) -> None:
        raise AssertionError("the runner itself does no I/O")

    # narrator
    def phase(self, name: str, detail: str, *, left_s: float) -> None:
        self.calls.append(f"phase {name}")

    def pulse(self, pulses: dict[str, Pulse], paths_up: tuple[int, int]) -> None:
        assert (pulses, paths_up) == ({"app-write": QUIET}, (2, 2))

    # load
    def start(self) -> None:
        self.calls.append("load on")

    def pulses(self) -> dict[str, Pulse]:
        return {"app-write": QUIET}

    def paths_up(self) -> tuple[int, int]:
        return 2, 2

    def failure(self) -> str:
        return self.probe_failure

    def flowing(self, within_ms: float) -> bool:
        return not self.stalled[0] <= self.now_s < self.stalled[1]

    def stop(self, *, timeout_s: float) -> int:
        self.calls.append("load off")
        return 0

    def written(self) -> list[int]:
        return [8, 16]

    # injection
    def inject(self) -> None:
        self.outstanding = True
        self.calls.append("inject")
        if self.inject_fails:
            raise self.inject_fails

    def prove(self, *, timeout_s: float = 0.0) -> Proof:
        return self.proof

    def mend(self) -> None:
        self.calls.append("mend")

    def prove_mended(self, *, timeout_s: float = 0.0) -> Proof:
        self.outstanding = self.outstanding and not self.mended.effective
        return self.mended

    def undo(self, *, timeout_s: float = 0.0) -> None:
        self.calls.append("undo")
        self.outstanding = False

    # the rest
    def look(self) -> list[str]:
        return [] if self.now_s >= self.whole_after_s else ["path p1 is failed"]

    def verify(self, history: object, lbas: list[int]) -> None:
        self.calls.append(f"verify {lbas}")

    def prepare(self, step: Step) -> Injection:
        return self

    def exercises(self, phase: object) -> Sequence[Exercise]:
        return []

    def ports(self) -> Ports:
        return Ports(
            history=self,
            narrator=self,
            clock=self.clock,
            sleep=self.sleep,
            observers=list,
            load=lambda ordinal, emit: self,
            settle=lambda: self.calls.append("settle"),
            prepare=self.prepare,
            looks=[self.look],
            verify=self.verify,
            exercises=self.exercises,
        )

    def run(self, **changes: Any) -> list[str]:
        plan = make_plan(**changes)
        return ScenarioRun(
            plan=plan,
            repeat=1,
            ordinal=1,
            broken=BREAK if plan.fault else None,
            ports=self.ports(),
        ).run()

    def kinds(self, *wanted: EventKind) -> list[str]:
        return [subject for kind, subject, _ in self.events if kind in wanted]
