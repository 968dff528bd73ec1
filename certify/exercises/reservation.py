"""S1: a persistent reservation survives its engine; another host preempts it by the other one."""

from dataclasses import dataclass, field

from certify import reserve
from certify.exercise import ExerciseKind, Stage
from certify.exercises.in_fault import InFault
from certify.exercises.nexus import Nexus, lacks_hosts, nexus
from certify.reserve import InAction, Kind, OutAction
from certify.scsi import Completion, Status

NAME = "reservation"
HOLDER_KEY, OTHER_KEY, TIDY_KEY = 0x5A53_0001, 0x5A53_0002, 0x5A53_00FF
LBA = 8
AFTER_S = 1.5
"""After the fault: by then the engine is dead and buried."""


@dataclass(slots=True, kw_only=True)
class HeldReservation:
    """Host 1 reserves by engine 1, which dies; host 2 finds that out, and preempts by engine 2."""

    stage: Stage
    _in_fault: InFault = field(init=False)
    _preempted: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._in_fault = InFault(
            name=NAME, stage=self.stage, after_s=AFTER_S, act=lambda _stage: self._preempt()
        )

    def start(self) -> None:
        """See Exercise.start: register both hosts, and reserve by engine 1."""
        self._clear()
        register = OutAction.REGISTER_AND_IGNORE
        asked = [
            _out(self._of(0, 0), register, 0, HOLDER_KEY),
            _out(self._of(0, 1), register, 0, HOLDER_KEY),
            _out(self._of(1, 1), register, 0, OTHER_KEY),
            _out(self._of(0, 0), OutAction.RESERVE, HOLDER_KEY, kind=Kind.WRITE_EXCLUSIVE),
        ]
        refused = [f"CDB {one.cdb.hex(' ')}: {one}" for one in asked if not one.is_good]
        observed = refused[0] if refused else "GOOD"
        self._report("taken before the fault", "GOOD", observed, not refused)
        if refused:
            return
        self._refused("before the fault", self._of(1, 1))
        self._in_fault.start()

    def stop(self) -> None:
        """See Exercise.stop: engine 1 is back, and knows what engine 2 was told."""
        try:
            if self._in_fault.started:
                self._in_fault.stop()
            if self._preempted:
                self._held_by("after the return, asked by engine 1", self._of(1, 0), OTHER_KEY)
                self._refused("after the return", self._of(0, 0))
        finally:
            self._clear()

    def _preempt(self) -> None:
        other = self._of(1, 1)
        self._held_by("while its engine is dead", other, HOLDER_KEY)
        self._refused("while its engine is dead", other)
        kind = Kind.WRITE_EXCLUSIVE
        done = _out(other, OutAction.PREEMPT, OTHER_KEY, HOLDER_KEY, kind=kind)
        wrote = other.write(LBA, self._data())
        self._preempted = done.is_good and wrote.is_good
        self._report(
            "preempted by the other engine",
            "PREEMPT and the write after it GOOD",
            f"PREEMPT: {done}; write: {wrote}",
            self._preempted,
        )
        self._refused("after the preemption", self._of(0, 1))

    def _held_by(self, when: str, asked: Nexus, key: int) -> None:
        got = asked.send(
            reserve.reserve_in(InAction.READ_RESERVATION), data_in_length=reserve.DATA_BYTES
        )
        held = reserve.decode_reservation(got.data) if got.is_good else None
        seen = f"key {held.key:x}h, type {held.kind:x}h" if held else "no reservation"
        expected = f"key {key:x}h, type {Kind.WRITE_EXCLUSIVE:x}h"
        good = held is not None and (held.key, held.kind) == (key, Kind.WRITE_EXCLUSIVE)
        self._report(f"held {when}", expected, seen if got.is_good else str(got), good)

    def _refused(self, when: str, who: Nexus) -> None:
        """Report whether a write of *who*, that does not hold the reservation, is refused."""
        ended = who.write(LBA, self._data())
        good = ended.status == Status.RESERVATION_CONFLICT
        name = f"enforced {when}"
        self._report(name, f"RESERVATION CONFLICT for {who.name}", str(ended), good)

    def _report(self, what: str, expected: str, observed: str, good: bool) -> None:
        self.stage.report(f"{NAME}: {what}", expected=expected, observed=observed, good=good)

    def _clear(self) -> None:
        """Leave no registration behind, of whoever."""
        by = self._of(1, 1)
        _out(by, OutAction.REGISTER_AND_IGNORE, 0, TIDY_KEY)
        _out(by, OutAction.CLEAR, TIDY_KEY)

    def _of(self, host: int, engine: int) -> Nexus:
        return nexus(self.stage, host, engine)

    def _data(self) -> bytes:
        return bytes(self._of(0, 0).path.disk.block_bytes)


def _out(
    who: Nexus, action: OutAction, key: int, action_key: int = 0, *, kind: int = 0
) -> Completion:
    return who.send(reserve.reserve_out(action, kind), data_out=reserve.out_list(key, action_key))


RESERVATION_HELD = ExerciseKind(
    name=NAME,
    make=lambda stage: HeldReservation(stage=stage),
    lacks=lambda lab: lacks_hosts(lab, 2),
)
