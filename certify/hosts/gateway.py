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

    `hear` gets each message in execnet's thread, and None when the connection has ended.
    """

    spec: str
    hear: Callable[[bytes | None], None]
    source: str = SOURCE
    _group: execnet.Group = field(init=False, default_factory=execnet.Group)
    _channel: execnet.Channel | None = field(init=False, default=None)

    def open(self) -> None:
        """Connect and start the worker; raises LabError. Bounded by SSH's own time-outs."""
        try:
            channel = self._group.makegateway(self.spec).remote_exec(self.source)
        except (execnet.HostNotFound, EOFError, OSError) as error:
            raise LabError(f"cannot be reached by SSH: {error}") from error
        channel.setcallback(self.hear, endmarker=None)
        self._channel = channel

    def send(self, data: bytes) -> None:
        """Send; raises LabError when the connection has ended."""
        if self._channel is None:
            raise LabError("is not connected")
        try:
            self._channel.send(data)
        except OSError as error:
            raise LabError(self.why_ended()) from error

    def why_ended(self) -> str:
        """Return what is known of the end of the connection."""
        try:
            if self._channel is not None:
                self._channel.waitclose(0)
        except execnet.RemoteError as error:
            lines = error.formatted.strip().splitlines()
            return f"its worker ended: {lines[-1] if lines else 'no message'}"
        except (EOFError, OSError):
            pass
        return "its SSH connection ended"

    def close(self) -> None:
        """End the connection, and with it the worker; harmless if there is none."""
        self._channel = None
        self._group.terminate(END_S)
