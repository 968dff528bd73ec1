"""The link as the engines have it: sessions that begin and end, at each end at its own time."""

import random
from typing import TYPE_CHECKING

from reference_router.simulator.network import Network
from reference_router.simulator.plan import ENGINES
from reference_router.simulator.shell import Engine

if TYPE_CHECKING:
    from reference_router.simulator.world import World

_US = 1000
_NS = 1
_CONNECT_NS = (1_000 * _US, 20_000 * _US)
_TRAVEL_NS = (10 * _US, 300 * _US)
_SLOW_NS = (5_000 * _US, 120_000 * _US)
_TOLD_NS = (10 * _US, 3_000 * _US)
_TOLD_LATE_NS = 300_000 * _US


class Wire:
    """Both ends' view of the network."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self.network = Network()
        self._ends: dict[int, Engine | None] = {1: None, 2: None}
        self._peers: dict[tuple[Engine, int], Engine] = {}
        self._connecting = False
        self.messages = 0

    def connect_later(self) -> None:
        """Let the engines try to make a session, a little later."""
        if not self._connecting:
            self._connecting = True
            self._world.at(self._world.now_ns + self._between(_CONNECT_NS), self._connect)

    def send(self, sender: Engine, body: bytes) -> None:
        """Take a message. One without a session, or of one that is over, goes nowhere."""
        network, world = self.network, self._world
        if not network.up or sender.session != network.session:
            return
        self.messages += 1
        world.say("send", sender.number, body)
        slow = world.now_ns < network.slow_until_ns
        travel_ns = self._between(_SLOW_NS if slow else _TRAVEL_NS)
        pipe = network.pipes[sender.number]
        ready_ns = pipe.put(body, world.now_ns + travel_ns)
        world.at(max(ready_ns, pipe.holed_until_ns), self._arrive, sender.number)

    def close(self, engine: Engine, why: str) -> None:
        """An engine closes its end: the other one hears of it, unless the network is holed."""
        self._world.say("refuse", engine.number, why)
        if engine.session == self.network.session and self.network.up:
            self.cut()
        elif engine.session:
            self._tell_down(engine, engine.session, 0)

    def cut(self, told_late: int = 0) -> None:
        """End the session. End `told_late` hears of it late, unless it is 0."""
        network = self.network
        if not network.up:
            return
        lost = network.end()
        for number in ENGINES:
            engine = self._ends[number]
            if engine is None:
                continue
            came = lost[3 - number]
            if self._world.now_ns >= network.pipes[3 - number].holed_until_ns:
                for body in came[: self._chance.randrange(len(came) + 1)]:
                    self._world.tell(engine, "message", network.session, body)
            holed_ns = network.pipes[3 - number].holed_until_ns - self._world.now_ns
            wait_ns = _TOLD_LATE_NS if number == told_late else self._between(_TOLD_NS)
            self._tell_down(engine, network.session, max(wait_ns, holed_ns))
        self.connect_later()

    def lose(self, engine: Engine, *, tells: bool) -> None:
        """An engine is dead: its kernel closes the session, or (power loss) nobody does."""
        if self._ends[engine.number] is not engine:
            return
        self._ends[engine.number] = None
        if tells:
            self.cut()
        elif self.network.up:
            self.network.end()
            self.connect_later()

    def hole(self, sender: int, until_ns: int) -> None:
        """Hold what an engine sends until then."""
        pipe = self.network.pipes[sender]
        pipe.holed_until_ns = max(pipe.holed_until_ns, until_ns)
        self._world.at(pipe.holed_until_ns + _NS, self._arrive, sender)

    def proves_death(self, engine: Engine) -> bool:
        """Tell whether an engine, asking now, sees that its session's peer process has ended."""
        peer = self._peers.get((engine, engine.session))
        return self._world.plan.proof_of_death and peer is not None and not peer.alive

    def _between(self, span_ns: tuple[int, int]) -> int:
        return self._chance.randrange(*span_ns)

    def _tell_down(self, engine: Engine, session: int, wait_ns: int) -> None:
        self._world.at(self._world.now_ns + wait_ns, self._say_down, engine, session)

    def _say_down(self, engine: Engine, session: int) -> None:
        self._world.say("link down", engine.number)
        self._world.tell(engine, "link down", session)

    def _arrive(self, sender: int) -> None:
        receiver = self._ends[3 - sender]
        for body in self.network.pipes[sender].take(self._world.now_ns):
            if receiver is not None:
                self._world.tell(receiver, "message", self.network.session, body)

    def _connect(self) -> None:
        self._connecting = False
        world, network = self._world, self.network
        ends = [world.engines[number] for number in ENGINES]
        if network.up or any(engine is None for engine in ends):
            return
        ready = [engine for engine in ends if engine is not None and engine.running]
        if len(ready) < len(ends) or not network.passable(world.now_ns):
            self.connect_later()
            return
        session = network.begin()
        for engine in ready:
            self._ends[engine.number] = engine
            peer = ready[0] if engine is ready[1] else ready[1]
            self._peers[engine, session] = peer
            world.say("link up", engine.number, session)
            world.tell(engine, "link up", session)
