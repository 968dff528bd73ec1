"""Hosts that register reservation keys with the router: requests that both engines must agree on.

Each registration of a nexus is a write to a register that holds its key; what both engines show at
the end is a read of it. A request that nobody answered may have been done, at any later time.
"""

from typing import TYPE_CHECKING

from reference_router.scsi import OperationCode, Response, Status
from reference_router.service_state import ServiceRequest
from reference_router.simulator.plan import Planned
from reference_router.simulator.registers import NEVER, Access, Did, judge
from reference_router.simulator.violation import Violation

if TYPE_CHECKING:
    from reference_router.simulator.shell import Engine
    from reference_router.simulator.world import World

NAME = "REGISTER"
_AGAIN_NS = 20_000_000
_TRIES = 20
_AND_IGNORE_EXISTING_KEY = 0x06  # SPC-4 table 237
_PARAMETER_BYTES = 24  # SPC-4 6.16.3
_APTPL = 0x01


class Registration:
    """One PERSISTENT RESERVE OUT of a host through one engine."""

    __slots__ = ("end", "engine", "good", "planned", "start", "started_ns", "tries")

    def __init__(self, planned: Planned) -> None:
        self.planned = planned
        self.start = 0
        self.end = NEVER
        self.good = False
        self.engine: Engine | None = None
        self.started_ns = 0
        self.tries = 0

    @property
    def nexus(self) -> tuple[str, int]:
        """Return the host and the engine."""
        return f"h{self.planned.host}", self.planned.engine

    def request(self) -> ServiceRequest:
        """Return what the engine is asked: REGISTER AND IGNORE EXISTING KEY with APTPL."""
        host, engine = self.nexus
        cdb = bytearray(10)
        cdb[0], cdb[1] = OperationCode.PERSISTENT_RESERVE_OUT, _AND_IGNORE_EXISTING_KEY
        cdb[5:9] = _PARAMETER_BYTES.to_bytes(4, "big")
        parameters = bytearray(_PARAMETER_BYTES)
        parameters[8:16] = self.planned.number.to_bytes(8, "big")
        parameters[20] = _APTPL
        return ServiceRequest(
            host=host, engine=engine, cdb=bytes(cdb), parameters=bytes(parameters)
        )


class Registrations:
    """All registrations of a run."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._sent: list[Registration] = []
        self.open: dict[Registration, None] = {}
        self.done = 0

    def begin(self, planned: Planned) -> None:
        """Begin a registration, as planned."""
        registration = Registration(planned)
        self.open[registration] = None
        self._send(registration)

    def _send(self, registration: Registration) -> None:
        engine = self._world.engines[registration.planned.engine]
        if engine is None or engine.stopping or not engine.running:
            self._again(registration)
            return
        registration.engine = engine
        registration.start = self._world.judge.tick()
        registration.started_ns = self._world.now_ns
        self._world.say(
            "ask", engine.number, registration.planned.host, registration.planned.number
        )
        self._world.tell(engine, "ask", registration)

    def _again(self, registration: Registration) -> None:
        registration.tries += 1
        registration.engine = None
        if registration.tries < _TRIES:
            self._world.at(self._world.now_ns + _AGAIN_NS, self._send, registration)
        else:
            self._over(registration)

    def _over(self, registration: Registration) -> None:
        del self.open[registration]
        self.done += 1

    def refused(self, registration: Registration) -> None:
        """An engine that does not serve answers NOT READY: nothing has happened."""
        self._again(registration)

    def asked(self, registration: Registration) -> None:
        """An engine's core has it from now on."""
        self._sent.append(registration)

    def answered(self, registration: Registration, response: Response) -> None:
        """Take the answer."""
        if registration not in self.open:
            if registration.engine is not None and registration.engine.alive:
                raise Violation("bounded", f"registration {registration.nexus} is answered twice")
            return
        self._over(registration)
        registration.good = response.status == Status.GOOD
        if registration.good:
            registration.end = self._world.judge.tick()
        self._world.say("asked", registration.planned.engine, registration.planned.number,
                        registration.good)  # fmt: skip

    def engine_died(self, engine: "Engine") -> None:
        """Nobody answers for a dead engine."""
        for registration in list(self.open):
            if registration.engine is engine:
                self._over(registration)

    def watch(self, limit_ns: int) -> None:
        """Check that no engine that runs leaves a request without an answer."""
        for registration in self.open:
            engine = registration.engine
            if engine is None or not engine.running:
                continue
            waited_ns = self._world.now_ns - registration.started_ns - engine.hung_ns
            if waited_ns > limit_ns:
                raise Violation(
                    "bounded",
                    f"registration {registration.nexus} waits for {waited_ns / 1e6:.0f} ms",
                )

    def finish(self) -> None:
        """Check that both engines show what hosts were told."""
        end = self._world.judge.tick()
        for nexus in sorted({each.nexus for each in self._sent}):
            history = [
                Access(each.start, each.end, Did.WRITE, each.planned.number, certain=each.good)
                for each in self._sent
                if each.nexus == nexus
            ]
            for engine in self._world.engines.values():
                if engine is not None:
                    shown = _shown(engine, nexus)
                    read = Access(end, end + 1, Did.READ, shown)
                    if judge([*history, read]) is not None:
                        raise Violation(
                            "durable",
                            f"engine {engine.number} shows key {shown} of nexus {nexus}, which no "
                            f"order of {[(each.value, each.certain) for each in history]} explains",
                        )


def _shown(engine: "Engine", nexus: tuple[str, int]) -> int:
    registrations = engine.unit.state.services.registrations
    return next((each.key for each in registrations if tuple(each.nexus) == nexus), 0)
