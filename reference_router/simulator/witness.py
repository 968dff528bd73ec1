"""The simulated witness: its votes, which outlive it, and its sessions with the engines.

A session ends for the witness when the way to it is lost, and for the engine when it notices. What
is on its way then may still be heard, or not; its answer is lost. A new session of an engine ends
the one before it, as the service does it.
"""

import random
from typing import TYPE_CHECKING

from reference_router.simulator.plan import ENGINES
from reference_router.simulator.shell import Engine
from reference_router.witness_ledger import Ledger, from_file
from reference_router.witness_messages import (
    Beat,
    Claim,
    Greeting,
    Waive,
    Welcome,
    WitnessMessage,
    decode,
    encode,
)

if TYPE_CHECKING:
    from reference_router.simulator.world import World

_US = 1000
_CONNECT_NS = (1_000 * _US, 40_000 * _US)
_TRAVEL_NS = (10 * _US, 2_000 * _US)
_TOLD_NS = (10 * _US, 3_000 * _US)


class Witness:
    """The witness's box, and the network to it."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._disk = Ledger().to_file()
        self._session = 0
        self._sessions: dict[int, int] = dict.fromkeys(ENGINES, 0)  # 0: none
        self._away_until_ns: dict[int, int] = dict.fromkeys(ENGINES, 0)
        self._last_ns: dict[tuple[int, str], int] = {}  # so that nothing overtakes
        self._connecting: set[Engine] = set()

    def connect_later(self, engine: Engine) -> None:
        """Let an engine try to make a session, a little later."""
        if self._world.plan.witness and engine.alive and engine not in self._connecting:
            self._connecting.add(engine)
            self._world.at(self._soon(_CONNECT_NS), self._connect, engine)

    def send(self, engine: Engine, message: WitnessMessage) -> None:
        """Take a message of an engine. One of a session that is over goes nowhere."""
        session = self._sessions[engine.number]
        if session and session == engine.witness_session:
            self._world.say("to witness", engine.number, encode(message))
            when_ns = self._in_turn(engine.number, "to")
            self._world.at(when_ns, self._hear, engine, session, encode(message))

    def close(self, engine: Engine, why: str) -> None:
        """An engine gives its session up."""
        self._world.say("refuse witness", engine.number, why)
        self.lose(engine)
        self._world.tell(engine, "witness down", engine.witness_session)
        self.connect_later(engine)

    def lose(self, engine: Engine) -> None:
        """An engine's session is over, for the witness."""
        if engine.witness_session == self._sessions[engine.number]:
            self._sessions[engine.number] = 0

    def cut(self, number: int, until_ns: int) -> None:
        """Let an engine and the witness not hear each other; the engine is not told."""
        self._away_until_ns[number] = max(self._away_until_ns[number], until_ns)
        self._sessions[number] = 0

    def fall(self, until_ns: int) -> None:
        """Let the witness's box go dark; engines are told at once, or never."""
        for number in ENGINES:
            session, engine = self._sessions[number], self._world.engines[number]
            self.cut(number, until_ns)
            if session and engine is not None and self._chance.random() < 0.5:
                self._world.at(self._soon(_TOLD_NS), self._say_down, engine, session)

    def _connect(self, engine: Engine) -> None:
        self._connecting.discard(engine)
        number, world = engine.number, self._world
        if not engine.alive or engine.witness_session == self._sessions[number] != 0:
            return
        away = world.now_ns < self._away_until_ns[number]
        if away or engine.witness_session or not engine.running:
            self.connect_later(engine)
            return
        self._session += 1
        self._sessions[number] = self._session
        world.say("witness up", number, self._session)
        world.tell(engine, "witness up", self._session)

    def _say_down(self, engine: Engine, session: int) -> None:
        if engine.alive and engine.witness_session == session:
            self._world.say("witness down", engine.number)
            self._world.tell(engine, "witness down", session)
            self.connect_later(engine)

    def _hear(self, engine: Engine, session: int, body: bytes) -> None:
        """Hear a message, as the service does; keep what has changed before it is answered."""
        number, world = engine.number, self._world
        if self._sessions[number] != session:
            return
        ledger, message = from_file(self._disk), decode(body)
        answer: WitnessMessage
        match message:
            case Greeting():
                answer = Welcome()
            case Claim() | Waive():
                answer, _ = ledger.rule(number, message)
            case _:
                answer = message
        self._disk = ledger.to_file()
        if not isinstance(message, Beat):
            world.say("witness", number, encode(answer))
        world.at(self._in_turn(number, "from"), self._answer, engine, session, answer)

    def _answer(self, engine: Engine, session: int, answer: WitnessMessage) -> None:
        if self._sessions[engine.number] == session:
            self._world.tell(engine, "ruling", session, answer)

    def _in_turn(self, number: int, way: str) -> int:
        when_ns = max(self._last_ns.get((number, way), 0), self._soon(_TRAVEL_NS))
        self._last_ns[number, way] = when_ns
        return when_ns

    def _soon(self, span_ns: tuple[int, int]) -> int:
        return self._world.now_ns + self._chance.randrange(*span_ns)
