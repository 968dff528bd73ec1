"""This engine's reservation keys on the legs of a unit: scripts of control commands. Pure.

An `Errand` runs one script on several legs, on all at once or on one after the other. A script is a
generator that yields control commands and gets their results. One command at a time is under way
on a leg; an errand that was dropped ends with the command that is under way.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum

from reference_router.commands import Outbox
from reference_router.keys import (
    WRITE_EXCLUSIVE_ALL_REGISTRANTS,
    Control,
    ControlOp,
    ControlResult,
    Key,
    Outcome,
    unpack,
)

Script = Generator[Control, ControlResult, "End"]
_TRIES = 8


class Fate(StrEnum):
    """How a script ended on a leg."""

    DONE = "done"
    LOST = "lost"
    """This engine's key is not there any more: another one has gone on without it."""
    FAILED = "failed"
    """The leg did not answer, or not as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The end of a script on a leg. `keys` are those that were read, if any were."""

    fate: Fate
    keys: tuple[int, ...] = ()
    why: str = ""


class Errand:
    """One script on several legs. `ends` fills as they end."""

    def __init__(self, legs: Iterable[int], *, in_turn: bool, started_ns: int) -> None:
        self.waiting = deque(legs)
        self.running: set[int] = set()
        self.ends: dict[int, End] = {}
        self.in_turn = in_turn
        self.dropped = False
        self.started_ns = started_ns

    @property
    def over(self) -> bool:
        """Tell whether it has ended on all its legs."""
        return not self.waiting and not self.running

    def with_fate(self, fate: Fate) -> list[int]:
        """Return the legs where it ended so."""
        return [leg for leg, end in self.ends.items() if end.fate is fate]


class Keyring:
    """Runs errands. `registered` has this engine's key by leg, as it was last set, 0 for none."""

    def __init__(self, unit: str, *, engine_id: int, check: int, legs: int, outbox: Outbox) -> None:
        self.registered = [0] * legs
        self._unit = unit
        self._engine_id = engine_id
        self._check = check
        self._outbox = outbox
        self._scripts: dict[int, tuple[Errand, Script]] = {}  # by leg
        self._under_way: dict[int, Control] = {}  # by leg
        self._errands: list[tuple[Errand, Callable[[int], Script]]] = []

    # Errands

    def survey(self, legs: Iterable[int], now_ns: int) -> Errand:
        """Read the keys."""
        return self._begin(legs, self._survey, now_ns)

    def record(self, legs: Iterable[int], key: Key, now_ns: int) -> Errand:
        """Change this engine's key, which must be there: LOST if it is not."""
        return self._begin(legs, lambda leg: self._record(leg, key.pack()), now_ns)

    def enrol(
        self, legs: Iterable[int], key: Key, now_ns: int, *, others: tuple[int, ...]
    ) -> Errand:
        """Register and reserve; remove the keys of all engines but this one and `others`."""
        return self._begin(legs, lambda leg: self._enrol(leg, key.pack(), others), now_ns)

    def fence(self, legs: Iterable[int], now_ns: int) -> Errand:
        """Remove all other engines' keys, leg after leg: LOST if one of them was faster."""
        return self._begin(legs, lambda leg: self._fence(leg, None), now_ns, in_turn=True)

    def claim(self, seen: dict[int, tuple[int, ...]], now_ns: int) -> Errand:
        """Take legs over from engines that are gone, if the keys are still those that were seen."""
        return self._begin(
            sorted(seen), lambda leg: self._claim(leg, seen[leg]), now_ns, in_turn=True
        )

    def clear(self, legs: Iterable[int], now_ns: int) -> Errand:
        """Remove all keys and the reservation: the array is the host's own again."""
        return self._begin(legs, self._clear, now_ns)

    def drop(self, errand: Errand | None) -> None:
        """Give an errand up. What is under way ends by itself."""
        if errand is not None:
            errand.dropped = True
            self._errands = [each for each in self._errands if each[0] is not errand]

    def idle(self, leg: int) -> bool:
        """Tell whether no control command is under way on a leg."""
        return leg not in self._under_way

    def control_done(self, control: Control, result: ControlResult) -> None:
        """Take the end of a control command."""
        leg = control.leg
        if self._under_way.get(leg) is not control:
            return
        del self._under_way[leg]
        self._note(control, result)
        errand, script = self._scripts[leg]
        if errand.dropped:
            del self._scripts[leg]
        else:
            self._step(leg, errand, script, result)
        self._start_waiting()

    # Running

    def _begin(
        self,
        legs: Iterable[int],
        script: Callable[[int], Script],
        now_ns: int,
        *,
        in_turn: bool = False,
    ) -> Errand:
        errand = Errand(legs, in_turn=in_turn, started_ns=now_ns)
        self._errands.append((errand, script))
        self._start_waiting()
        return errand

    def _start_waiting(self) -> None:
        for errand, script in list(self._errands):
            for leg in list(errand.waiting):
                if errand.in_turn and (errand.running or leg != errand.waiting[0]):
                    break
                if leg not in self._scripts:
                    errand.waiting.remove(leg)
                    errand.running.add(leg)
                    self._step(leg, errand, script(leg), None)
            if errand.over:
                self.drop_finished(errand)

    def drop_finished(self, errand: Errand) -> None:
        """Forget an errand that is over; who holds it still reads its ends."""
        self._errands = [each for each in self._errands if each[0] is not errand]

    def _step(self, leg: int, errand: Errand, script: Script, result: ControlResult | None) -> None:
        try:
            control = next(script) if result is None else script.send(result)
        except StopIteration as stop:
            self._scripts.pop(leg, None)
            errand.running.discard(leg)
            errand.ends[leg] = stop.value
            if errand.in_turn and stop.value.fate is Fate.LOST:
                errand.waiting.clear()
            return
        self._scripts[leg] = (errand, script)
        self._under_way[leg] = control
        self._outbox.controls.append(control)

    def _note(self, control: Control, result: ControlResult) -> None:
        """Keep in mind which key is registered, also by an errand that was dropped."""
        registers = (ControlOp.REGISTER, ControlOp.REGISTER_AND_IGNORE)
        if result.outcome is Outcome.GOOD and control.op in registers:
            self.registered[control.leg] = control.other
        elif result.outcome is Outcome.GOOD and control.op is ControlOp.CLEAR:
            self.registered[control.leg] = 0

    # Scripts

    def _control(self, leg: int, op: ControlOp, key: int = 0, other: int = 0) -> Control:
        return Control(self._unit, leg, op, key, other)

    def _survey(self, leg: int) -> Script:
        result = yield self._control(leg, ControlOp.READ_KEYS)
        if result.outcome is not Outcome.GOOD:
            return _failed(result)
        return End(fate=Fate.DONE, keys=result.keys)

    def _record(self, leg: int, key: int) -> Script:
        before = self.registered[leg]
        if before == key:
            return End(fate=Fate.DONE)
        result = yield self._control(leg, ControlOp.REGISTER, before, key)
        if result.outcome is Outcome.CONFLICT:
            # An earlier command that was given up may have taken effect all the same.
            read = yield self._control(leg, ControlOp.READ_KEYS)
            now = next((each for each in read.keys if self._is_mine(each)), 0)
            if read.outcome is Outcome.GOOD and not now:
                return End(fate=Fate.LOST, why="this engine's key is gone")
            result = yield self._control(leg, ControlOp.REGISTER, now, key)
        return End(fate=Fate.DONE) if result.outcome is Outcome.GOOD else _failed(result)

    def _enrol(self, leg: int, key: int, others: tuple[int, ...]) -> Script:
        result = yield self._control(leg, ControlOp.REGISTER_AND_IGNORE, 0, key)
        if result.outcome is not Outcome.GOOD:
            return _failed(result)
        result = yield self._control(leg, ControlOp.READ_KEYS)
        if result.outcome is not Outcome.GOOD:
            return _failed(result)
        for old in result.keys:
            if old != key and self._is_of_another(old, others):
                gone = yield self._control(leg, ControlOp.PREEMPT_AND_ABORT, key, old)
                if gone.outcome is Outcome.ERROR:
                    return _failed(gone)
        if result.reservation_type is None:
            result = yield self._control(leg, ControlOp.RESERVE, key)
            if result.outcome is not Outcome.GOOD:
                return _failed(result)
        elif result.reservation_type != WRITE_EXCLUSIVE_ALL_REGISTRANTS:
            why = f"reserved with type {result.reservation_type:#x}, expected 0x7"
            return End(fate=Fate.FAILED, why=why)
        return End(fate=Fate.DONE)

    def _is_of_another(self, key: int, others: tuple[int, ...]) -> bool:
        known = unpack(key)
        return known is not None and known.engine not in (self._engine_id, *others)

    def _fence(self, leg: int, seen: tuple[int, ...] | None) -> Script:
        """Remove all other engines' keys, by name; if `seen` is given, only those in it."""
        for _ in range(_TRIES):
            result = yield self._control(leg, ControlOp.READ_KEYS)
            if result.outcome is not Outcome.GOOD:
                return _failed(result)
            mine = next((key for key in result.keys if self._is_mine(key)), 0)
            if not mine:
                return End(fate=Fate.LOST, why="this engine's key is gone")
            others = [key for key in result.keys if self._is_of_another(key, ())]
            if seen is not None and not set(others) <= set(seen):
                return End(fate=Fate.LOST, why="another engine has come meanwhile")
            if not others:
                return End(fate=Fate.DONE)
            raised = self._raised(mine, others)
            if raised != mine:
                result = yield self._control(leg, ControlOp.REGISTER, mine, raised)
                if result.outcome is Outcome.ERROR:
                    return _failed(result)
                continue
            gone = yield self._control(leg, ControlOp.PREEMPT_AND_ABORT, mine, others[0])
            if gone.outcome is Outcome.ERROR:
                return _failed(gone)
            if gone.outcome is Outcome.GOOD and len(others) == 1:
                return End(fate=Fate.DONE)
        return End(fate=Fate.FAILED, why=f"keys still change after {_TRIES} tries")

    def _raised(self, mine: int, others: list[int]) -> int:
        """Return this engine's key with the newest epoch of all.

        It is registered before the key that says that epoch is removed: else nothing on the array
        would tell any more that the other arrays are older.
        """
        keys = [known for key in (mine, *others) if (known := unpack(key)) is not None]
        newest = max(keys, key=lambda key: key.epoch)
        if newest.epoch == keys[0].epoch:
            return mine
        key = Key(engine=self._engine_id, check=self._check, epoch=newest.epoch, holds=newest.holds)
        return key.pack()

    def _claim(self, leg: int, seen: tuple[int, ...]) -> Script:
        mine = next((key for key in seen if self._is_mine(key)), 0)
        op = ControlOp.REGISTER if mine else ControlOp.REGISTER_AND_IGNORE
        key = mine or Key(engine=self._engine_id, check=self._check, epoch=0).pack()
        result = yield self._control(leg, op, mine, key)
        if result.outcome is Outcome.CONFLICT:
            return End(fate=Fate.LOST, why="this engine's key is gone")
        if result.outcome is Outcome.ERROR:
            return _failed(result)
        end = yield from self._fence(leg, seen)
        if end.fate is not Fate.DONE:
            if not mine and end.fate is Fate.LOST:  # leave no key behind where there was none
                yield self._control(leg, ControlOp.REGISTER, self.registered[leg], 0)
            return end
        result = yield self._control(leg, ControlOp.RESERVE, self.registered[leg])
        return End(fate=Fate.DONE) if result.outcome is Outcome.GOOD else _failed(result)

    def _is_mine(self, key: int) -> bool:
        known = unpack(key)
        return known is not None and (known.engine, known.check) == (self._engine_id, self._check)

    def _clear(self, leg: int) -> Script:
        result = yield self._control(leg, ControlOp.CLEAR, self.registered[leg])
        if result.outcome is Outcome.CONFLICT:
            return End(fate=Fate.LOST, why="this engine's key is gone")
        return End(fate=Fate.DONE) if result.outcome is Outcome.GOOD else _failed(result)


def _failed(result: ControlResult) -> End:
    return End(fate=Fate.FAILED, why=result.why or str(result.outcome))
