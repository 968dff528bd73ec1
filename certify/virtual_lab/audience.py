"""Who is connected to a keeper: its clients, and what they are told, those that come later too."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from certify.virtual_lab import wire

COMING_S = 2.0
POLL_S = 0.05
DISMISS_TIMEOUT_S = 1.0


@dataclass(slots=True, eq=False)
class Client:
    """One connected CLI and its commands: our number of a command -> its own."""

    writer: asyncio.StreamWriter
    jobs: dict[int, int] = field(default_factory=dict)

    def send(self, answer: wire.Answer) -> None:
        """Queue an answer; a client that is gone is noticed where it is read."""
        if not self.writer.is_closing():
            self.writer.write(wire.encode(answer))


class Audience:
    """All clients of a keeper.

    `hear` gets each request and who sent it, `forget` a client that is gone.
    """

    def __init__(
        self,
        hear: Callable[[Client, wire.Request], None],
        forget: Callable[[Client], None] = lambda _client: None,
    ) -> None:
        self._hear = hear
        self._forget = forget
        self._clients: set[Client] = set()
        self._history: list[wire.Answer] = []  # steps so far, for clients that come later
        self._serving: set[asyncio.Task[None]] = set()

    def tell(self, answer: wire.Answer) -> None:
        """Tell all of a step of the start, now or when they come."""
        if any(seen.kind is wire.Kind.FAILED for seen in self._history):
            return  # the first failure is the cause, what follows is its consequence
        self._history.append(answer)
        for client in self._clients:
            client.send(answer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hear a client until it is gone."""
        client = Client(writer)
        self._clients.add(client)
        if task := asyncio.current_task():
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        for answer in self._history:
            client.send(answer)
        try:
            while line := await reader.readline():
                self._hear(client, wire.decode_request(line))
                await writer.drain()
        except (ConnectionError, msgspec.DecodeError, ValueError):
            pass  # a client that breaks the protocol or is gone loses its commands, nobody else's
        finally:
            self._clients.discard(client)
            self._forget(client)
            client.writer.close()

    async def until_read(self) -> None:
        """Give a CLI that is about to connect the chance to read why the start failed."""
        for _ in range(round(COMING_S / POLL_S)):
            if self._clients:
                break
            await asyncio.sleep(POLL_S)
        for client in self._clients:
            with contextlib.suppress(ConnectionError):
                await client.writer.drain()

    async def dismiss(self) -> None:
        """Send what is queued, then let every connection's task end by itself."""
        for client in self._clients:
            client.writer.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=DISMISS_TIMEOUT_S)
