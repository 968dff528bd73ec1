"""The simulated link: two ordered byte streams that exist while a session does.

A session is known by its number. What is on its way when it ends is lost, but for what the
network had already brought. Each end is told of the end of a session at its own time.
"""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Pipe:
    """One direction. `queue` has (ready_ns, body), in order."""

    queue: deque[tuple[int, bytes]] = field(default_factory=deque)
    last_ns: int = 0
    holed_until_ns: int = 0

    def put(self, body: bytes, ready_ns: int) -> int:
        """Take a message that could arrive at `ready_ns`; return when it will at the earliest."""
        self.last_ns = max(self.last_ns, ready_ns)
        self.queue.append((self.last_ns, body))
        return self.last_ns

    def take(self, now_ns: int) -> list[bytes]:
        """Return what arrives now."""
        arrived = []
        if now_ns >= self.holed_until_ns:
            while self.queue and self.queue[0][0] <= now_ns:
                arrived.append(self.queue.popleft()[1])
        return arrived


@dataclass(slots=True)
class Network:
    """The network between the engines: `pipes[engine]` carries what that engine sends."""

    session: int = 0
    up: bool = False
    down_until_ns: int = 0
    slow_until_ns: int = 0
    pipes: dict[int, Pipe] = field(default_factory=lambda: {1: Pipe(), 2: Pipe()})

    def passable(self, now_ns: int) -> bool:
        """Tell whether a new session could be made."""
        return now_ns >= self.down_until_ns and all(
            now_ns >= pipe.holed_until_ns for pipe in self.pipes.values()
        )

    def begin(self) -> int:
        """Begin a session; return its number."""
        self.session += 1
        self.up = True
        for pipe in self.pipes.values():
            pipe.queue.clear()
        return self.session

    def end(self) -> dict[int, list[bytes]]:
        """End the session; return what had not arrived yet, by sender."""
        self.up = False
        lost = {}
        for engine, pipe in self.pipes.items():
            lost[engine] = [body for _, body in pipe.queue]
            pipe.queue.clear()
        return lost
