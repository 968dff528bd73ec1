"""Defects of persistent reservations (SPC-4 5.12)."""

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
        self._passed: dict[int, Command] = {}  # by id(); kept here, so that no id comes again

    def on_outcome(self, command: Command, outcome: Outcome, stage: Stage) -> Outcome | Command:
        """Carry a refused WRITE out in the name of another host, the holder; once, if it is not."""
        if self._passed.pop(id(command), None) is not None:
            return outcome
        if not command.writes or outcome.status != RESERVATION_CONFLICT:
            return outcome
        for front in stage.fronts:
            same = (front.engine, front.unit) == (command.front.engine, command.front.unit)
            if same and front.host != command.front.host:
                self._passed[id(command)] = command
                return replace(command, front=front)
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


def _clear(front: Front, key: bytes) -> Command:
    cdb = bytes((PERSISTENT_RESERVE_OUT, CLEAR, 0, 0, 0, 0, 0, 0, PARAMETER_BYTES, 0))
    return Command(front=front, cdb=cdb, data_out=key.ljust(PARAMETER_BYTES, b"\0"))
