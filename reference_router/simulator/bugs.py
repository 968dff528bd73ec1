"""Faults planted in the core for one run, to show that the simulator finds them. Off by default.

Each replaces methods of the core while it is planted. They are the mistakes that this protocol
exists to avoid, at least one for each invariant.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from reference_router import mirror, starting, startup
from reference_router.commands import Command, LegIo, Op
from reference_router.copier import Copier
from reference_router.fencing import Fencing
from reference_router.keyring import End, Fate, Keyring
from reference_router.leases import Leases
from reference_router.messages import LegState
from reference_router.mirror import Mirror
from reference_router.startup import Assessment
from reference_router.traffic import FIRST_WRITES, Traffic
from reference_router.unit import Unit
from reference_router.witness_ledger import Ledger
from reference_router.witness_messages import Claim, Ruling

COMPILED = not str(mirror.__file__).endswith(".py")
"""Compiled code calls its own methods straight: what is planted there would have no effect."""

Patch = tuple[object, str, Any]
Surveys = Sequence[tuple[int, ...] | None]


def _ack_after_one_leg() -> list[Patch]:
    """`durable`: a write is answered once one leg has it."""
    done = Traffic.leg_done

    def leg_done(self: Mirror, io: LegIo, error: int, now_ns: int) -> None:
        command = io.owner
        first = io.write and not error and not io.abandoned and command.op in FIRST_WRITES
        if first and not command.answered and len(command.parts) > 1:
            command.answered = True
            self._outbox.completions.append(command)
        done(self, io, error, now_ns)

    return [(Mirror, "leg_done", leg_done)]


def _forget_dirty() -> list[Patch]:
    """`no-stale-read`: what a leg lacks is not noted while it is away."""
    return [(Mirror, "_mark_dirty", lambda *_: None)]


def _promote_stale() -> list[Patch]:
    """`no-stale-read`: a leg that came back is in sync at once."""

    def finished_leg(self: Copier) -> int | None:
        states = self._unit.mirror.states
        return states.index(LegState.RESYNCING) if LegState.RESYNCING in states else None

    return [(Copier, "finished_leg", finished_leg)]


def _read_resyncing() -> list[Patch]:
    """`no-stale-read`: a leg that is being copied to is read."""

    def read_leg(self: Mirror, lba: int) -> int:
        return self._used[lba // self.region_blocks % len(self._used)]

    return [(Traffic, "read_leg", read_leg)]


def _no_repair() -> list[Patch]:
    """`converged`: where a lost engine may have been writing, nothing is copied."""

    def keep_leases(self: Unit, *, drained: bool) -> None:
        self.mirror.leases.keep_all()

    return [(Unit, "_keep_leases", keep_leases)]


def _no_lease() -> list[Patch]:
    """`converged`: engines write where they like."""
    return [(Leases, "pin", lambda *_: True), (Leases, "unpin", lambda *_: False)]


def _read_any_leg() -> list[Patch]:
    """`linearizable`: each read asks the leg that was not asked last."""
    turn = [0]

    def read_leg(self: Mirror, lba: int) -> int:
        turn[0] += 1
        return self._in_sync[turn[0] % len(self._in_sync)]

    return [(Traffic, "read_leg", read_leg)]


def _compare_unlocked() -> list[Patch]:
    """`linearizable`: COMPARE AND WRITE reads first, and takes its range only then."""
    start = Mirror._start

    def started(self: Mirror, command: Command, now_ns: int) -> bool:
        if command.op != Op.COMPARE_AND_WRITE:
            return start(self, command, now_ns)
        writes, self._writes = self._writes, {}
        good = start(self, command, now_ns)
        mine, self._writes = self._writes, writes
        for region, commands in mine.items():
            self._writes.setdefault(region, []).extend(commands)
        return good

    return [(Mirror, "_start", started)]


def _no_fence() -> list[Patch]:
    """`one-side`: who loses its peer goes on without removing its keys."""

    def fence(self: Keyring, leg: int, seen: object) -> Generator[Any, Any, End]:
        yield from ()
        return End(fate=Fate.DONE)

    return [(Keyring, "_fence", fence)]


def _read_for_ever() -> list[Patch]:
    """`no-stale-read`: an engine reads on though its peer may have gone on without it."""
    deliver = Mirror._deliver

    def delivered(self: Mirror, command: Command, now_ns: int) -> None:
        deliver(self, command, min(now_ns, self.reads_until_ns))

    return [(Mirror, "_deliver", delivered)]


def _believe_any_leg() -> list[Patch]:
    """`durable`: a start takes every leg that it can read for the newest."""
    assess = startup.assess

    def believed(surveys: Surveys, **rest: object) -> Assessment:
        found = assess(surveys, **rest)  # type: ignore[arg-type]
        states = tuple(LegState.STALE if keys is None else LegState.IN_SYNC for keys in surveys)
        return Assessment(
            may_start=found.may_start or any(surveys),
            epoch=found.epoch,
            states=states,
            unclean=found.unclean,
        )

    return [(starting, "assess", believed)]


def _replay() -> list[Patch]:
    """`linearizable`: an engine that was fenced does its old commands once it is back."""
    lose, resume = Mirror.lose, Mirror.resume
    waiting: dict[Mirror, list[Command]] = {}

    def lost(self: Mirror) -> None:
        old = [*self._commands, *self._held, *self._blocked]
        lose(self)
        again = [Command(each.token, each.op, each.lba, each.blocks) for each in old]
        for command in again:
            command.answered = True
        waiting[self] = [each for each in again if each.op == Op.WRITE]

    def resumed(self: Mirror, now_ns: int) -> None:
        resume(self, now_ns)
        for command in waiting.pop(self, []):
            self.submit(command, now_ns)

    return [(Mirror, "lose", lost), (Mirror, "resume", resumed)]


def _copy_shifted() -> list[Patch]:
    """`native`: a copy goes to the blocks after those that it came from."""
    write = Traffic._write

    def wrote(self: Mirror, command: Command, legs: tuple[int, ...], now_ns: int) -> None:
        if command.op == Op.COPY:
            command.lba, command.blocks = command.lba + 1, command.blocks - 1
        write(self, command, legs, now_ns)

    return [(Traffic, "_write", wrote)]


def _drop_held() -> list[Patch]:
    """`bounded`: what is held at a barrier is forgotten."""
    resume = Mirror.resume

    def resumed(self: Mirror, now_ns: int) -> None:
        self._held.clear()
        resume(self, now_ns)

    return [(Mirror, "resume", resumed)]


def _lose_lease() -> list[Patch]:
    """`bounded`: a wish for a lease that comes while it is in use is forgotten."""

    def asked_for(self: Leases, region: int) -> None:
        if region not in self._pins:
            asked(self, region)

    asked = Leases.asked_for
    return [(Leases, "asked_for", asked_for)]


def _vote_for_both() -> list[Patch]:
    """`one-side`: the witness rules for whoever asks."""

    def claim(self: Ledger, engine: int, asked: Claim) -> tuple[Ruling, bool]:
        vote = Ruling(unit=asked.unit, turn=asked.turn, holder=engine, membership=asked.membership)
        return vote, False

    return [(Ledger, "claim", claim)]


def _vote_beside_tie_break() -> list[Patch]:
    """`one-side`: who has the tie-break leg goes on without asking the witness."""

    def meeting(self: Fencing) -> set[int]:
        return {min(legs) for legs in self._possible}

    return [(Fencing, "_meeting", property(meeting))]


BUGS: dict[str, Callable[[], list[Patch]]] = {
    "ack-after-one-leg": _ack_after_one_leg,
    "believe-any-leg": _believe_any_leg,
    "compare-unlocked": _compare_unlocked,
    "copy-shifted": _copy_shifted,
    "drop-held": _drop_held,
    "forget-dirty": _forget_dirty,
    "lose-lease": _lose_lease,
    "no-fence": _no_fence,
    "no-lease": _no_lease,
    "no-repair": _no_repair,
    "promote-stale": _promote_stale,
    "read-any-leg": _read_any_leg,
    "read-for-ever": _read_for_ever,
    "read-resyncing": _read_resyncing,
    "replay": _replay,
    "vote-beside-tie-break": _vote_beside_tie_break,
    "vote-for-both": _vote_for_both,
}


@contextlib.contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a bug while the context lasts; "" plants none. Raises KeyError for an unknown name."""
    patches = BUGS[name]() if name else []
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in patches]
    for owner, attribute, value in patches:
        setattr(owner, attribute, value)
    try:
        yield
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)
