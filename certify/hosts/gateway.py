"""The connection to a worker: execnet over SSH."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

import execnet

from certify.lab import Host, LabError

SOURCE = "from certify.hosts.worker import serve\nserve(channel)"
"""What execnet runs on the host."""
SSH_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=5",
    "ServerAliveInterval=2",
    "ServerAliveCountMax=3",
    "ControlMaster=no",  # a connection of its own: it ends with its process
    "ControlPath=none",
)
END_S = 5.0
ENDED = "its SSH connection ended"
_SEPARATOR = "//"
"""Between the parts of an execnet specification; no part may have it."""


def specification(host: Host) -> str:
    """Return how execnet reaches a host; raise LabError for what it cannot express."""
    _, _, destination = host.reach.partition(":")
    python = shlex.join(host.python)
    for key, value in (("reach", destination), ("python", python)):
        if _SEPARATOR in value:
            raise LabError(f'host {host.name}: {key}: expected no "//" in it, seen {value!r}')
    options = " ".join(f"-o {option}" for option in SSH_OPTIONS)
    return _SEPARATOR.join((f"ssh={options} {destination}", f"python={python}", f"id={host.name}"))


@dataclass(slots=True, kw_only=True)
class Gateway:
    """One worker's connection: `open`, `send`, `close`.

    `hear` gets each message, after the first one in execnet's thread, and None at the end.
    """

    spec: str
    hear: Callable[[bytes | None], None]
    source: str = SOURCE
    _group: execnet.Group = field(init=False, default_factory=execnet.Group)
    _channel: execnet.Channel | None = field(init=False, default=None)

    def open(self, timeout_s: float) -> None:
        """Connect, start the worker and hear its first word; raises LabError.

        What keeps a worker from starting, only the first word's absence tells with its reason: once
        a channel has a callback, execnet passes on that it ended and not why.
        """
        try:
            channel = self._group.makegateway(self.spec).remote_exec(self.source)
            first = channel.receive(timeout_s)
        except execnet.RemoteError as error:
            lines = error.formatted.strip().splitlines()
            raise LabError(f"its worker did not start: {lines[-1]}") from error
        except execnet.TimeoutError as error:
            raise LabError(f"its worker said nothing within {timeout_s:g} s") from error
        except (execnet.HostNotFound, EOFError, OSError) as error:
            raise LabError(f"cannot be reached, or has no such Python: {self.spec}") from error
        self._channel = channel
        self.hear(first)
        channel.setcallback(self.hear, endmarker=None)

    def send(self, data: bytes) -> None:
        """Send; raises LabError when the connection has ended."""
        try:
            if self._channel is None:
                raise OSError("not open")
            self._channel.send(data)
        except OSError as error:
            raise LabError(ENDED) from error

    def close(self) -> None:
        """End the connection, and with it the worker; harmless if there is none."""
        self._channel = None
        self._group.terminate(END_S)
