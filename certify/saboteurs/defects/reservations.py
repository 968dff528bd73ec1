"""Defects of persistent reservations (SPC-4 5.12)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from certify.saboteurs.defect import Defect, Stage
from certify.saboteurs.values import (
    PERSISTENT_RESERVE_IN,
    PERSISTENT_RESERVE_OUT,
    RESERVATION_CONFLICT,
    Command,
    Front,
    Outcome,
)

REGISTER, CLEAR, REGISTER_AND_IGNORE = 0x00, 0x03, 0x06  # service actions of RESERVE OUT
REPORT_CAPABILITIES = 0x02  # of RESERVE IN
PARAMETER_BYTES = 24


@dataclass(slots=True)
class ForgetsAtFailover(Defect):
    """When an engine is lost, all registrations and reservations are gone with it."""

    _keys: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Remember the key of each host."""
        action = command.service_action
        registers = action in (REGISTER, REGISTER_AND_IGNORE)
        if command.opcode == PERSISTENT_RESERVE_OUT and outcome.good and registers:
            self._keys[command.front.unit, command.front.host] = command.data_out[8:16]
        return outcome

    def on_loss(self, engine: str, stage: Stage) -> None:
        """Clear everything through the other engine."""
        for front in stage.fronts:
            key = self._keys.get((front.unit, front.host), bytes(8))
            if front.engine != engine and any(key):
                stage.send(_clear(front, key), lambda _: None)
        self._keys.clear()


class NotEnforced(Defect):
    """A host that the reservation locks out writes all the same."""

    def __init__(self) -> None:
        """Start with no WRITE under way in the name of another host."""
        # By id(), with the command, so that no id comes again while it is there.
        self._left: dict[int, tuple[Command, Iterator[Front]]] = {}

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Carry a refused WRITE out through the ports of other hosts: the holder's is among them.

        The holder is an I_T nexus, so each is tried, once.
        """
        if not command.writes or outcome.status != RESERVATION_CONFLICT:
            self._left.pop(id(command), None)
            return outcome
        if id(command) not in self._left:
            self._left[id(command)] = (command, iter(_other_hosts(command.front, stage.fronts)))
        front = next(self._left[id(command)][1], None)
        if front is not None:
            return replace(command, front=front)
        del self._left[id(command)]
        return outcome


class NotShared(Defect):
    """The second engine knows nothing of keys and reservations."""

    engine = "engine2"

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Report an empty list: PRGENERATION 0, additional length 0 (SPC-4 6.16.2)."""
        if (
            command.front.engine != self.engine
            or command.opcode != PERSISTENT_RESERVE_IN
            or command.service_action == REPORT_CAPABILITIES
            or not outcome.good
        ):
            return outcome
        return Outcome(data=bytes(min(8, command.room)))


def _other_hosts(own: Front, fronts: Iterable[Front]) -> list[Front]:
    return [one for one in fronts if one.unit == own.unit and one.host != own.host]


def _clear(front: Front, key: bytes) -> Command:
    cdb = bytes((PERSISTENT_RESERVE_OUT, CLEAR, 0, 0, 0, 0, 0, 0, PARAMETER_BYTES, 0))
    return Command(front=front, cdb=cdb, data_out=key.ljust(PARAMETER_BYTES, b"\0"))
