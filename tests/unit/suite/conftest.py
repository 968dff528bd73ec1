"""Hand-written histories: the shortest way to say what a host saw."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from certify.history import History
from reports.record import EventKind, EventRecord, IoOutcome, IoRecord, ScenarioPlan

MS = 1_000_000


def make_plan(**changes: Any) -> ScenarioPlan:
    values: dict[str, Any] = {
        "id": "E1k",
        "title": "Engine 1 killed",
        "fault": "engine_kill",
        "subject": "engine1",
        "description": "d",
        "expected": "e",
        "requirement": "r",
        "reference": "ref",
        "limit_failover_ms": 250.0,
        "limit_failback_ms": 250.0,
        "steady_s": 3.0,
        "fault_s": 3.0,
        "recover_s": 3.0,
        "repeats": 1,
    }
    return ScenarioPlan(**(values | changes))


def make_io(**changes: Any) -> IoRecord:
    """One good 4 KiB write of version 1 at LBA 0 that took 1 ms; times in ms."""
    due = changes.pop("due", 0.0)
    done = changes.pop("done", None)
    done_ns = int((due + 1 if done is None else done) * MS)
    values: dict[str, Any] = {
        "probe": "app-write",
        "k": 0,
        "op": "write",
        "lba": 0,
        "blocks": 8,
        "due_ns": int(due * MS),
        "sent_ns": int(changes.pop("sent", due) * MS),
        "done_ns": -1 if done == -1 else done_ns,
        "outcome": IoOutcome.NEVER if done == -1 else IoOutcome.GOOD,
        "errno": 0,
        "status": -1,
        "sense": "",
        "tag": 1,
        "sectors": "",
    }
    return IoRecord(**(values | changes))


@dataclass
class Story:
    """A history in the making: quiet until 1 s, fault until 2 s, mended until 3 s, one I/O of
    each kind every 10 ms, every one of them good. Tests change what they are about."""

    plan: ScenarioPlan = field(default_factory=make_plan)
    events: list[EventRecord] = field(default_factory=list)
    ios: list[IoRecord] = field(default_factory=list)

    def event(self, ms: float, kind: EventKind, subject: str = "", **rest: Any) -> None:
        record = EventRecord(
            t_ns=int(ms * MS),
            scenario=self.plan.id,
            repeat=1,
            kind=kind,
            subject=subject,
            detail=rest.pop("detail", ""),
            data=rest,
        )
        self.events.append(record)

    def drop(self, kind: EventKind) -> None:
        self.events = [event for event in self.events if event.kind is not kind]

    def drop_probe(self, prefix: str) -> None:
        self.ios = [io for io in self.ios if not io.probe.startswith(prefix)]

    def io(self, **changes: Any) -> None:
        self.ios.append(make_io(**changes))

    def history(self) -> History:
        events = sorted(self.events, key=lambda event: event.t_ns)
        return History(plan=self.plan, repeat=1, events=events, ios=self.ios)


def make_clean_story(plan: ScenarioPlan) -> Story:
    story = Story(plan=plan)
    for ms, phase in ((0, "preflight"), (1, "steady"), (3000, "undo"), (3100, "done")):
        story.event(ms, EventKind.PHASE, phase)
    if plan.fault:
        story.event(1000, EventKind.PHASE, "fault")
        story.event(1000, EventKind.INJECTED, plan.subject)
        story.event(1020, EventKind.PROVEN, plan.subject, detail="process gone")
        story.event(2000, EventKind.PHASE, "mend")
        story.event(2000, EventKind.MENDED, plan.subject)
        story.event(2100, EventKind.MEND_PROVEN, plan.subject, detail="serving")
    story.event(2800, EventKind.REDUNDANCY, "lab", restored=True, detail="every path active")
    story.event(3050, EventKind.READBACK, "path1", sectors=8, detail="path1: 8 sectors")
    story.event(3060, EventKind.COMPARE, "lu0", equal=True, sectors=1000)
    for k in range(300):
        due = 10.0 * k
        story.io(k=k, due=due, tag=k + 1)
        story.io(k=k, due=due + 2, tag=k + 1, probe="app-read", op="read")
        story.io(k=k, due=due, tag=-1, probe="control", op="read", lba=8)
    story.io(due=3040, tag=300, probe="readback:path1", op="read")
    return story


@pytest.fixture
def story() -> Story:
    return make_clean_story(make_plan())


@pytest.fixture
def baseline() -> Story:
    return make_clean_story(make_plan(id="B0", fault="", subject=""))
