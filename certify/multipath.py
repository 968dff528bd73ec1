"""What multipathd knows of maps and paths, by its JSON."""

import socket
import struct
from dataclasses import dataclass
from typing import Protocol

import msgspec

from certify.lab import LabError
from fault_injectors import FaultError, Shell

SOCKET_NAME = "\0/org/kernel/linux/storage/multipathd"
"""Abstract address of multipathd's command socket (libmpathcmd/mpath_cmd.h)."""

LENGTH = struct.Struct("N")
"""A request and a reply are each a native size_t and so many bytes, the last one zero."""

REPLY_BYTES_MAX = 64 << 20
TIMEOUT_S = 4.0
"""multipathd's own limit for a command (uxsock_timeout) is 4 s."""


class _PathJson(msgspec.Struct, frozen=True):
    """One path; other keys are passed over, since every version adds some."""

    dev: str
    dev_t: str
    dm_st: str
    dev_st: str
    chk_st: str
    checker: str = ""
    pri: int = 0


class _GroupJson(msgspec.Struct, frozen=True):
    paths: list[_PathJson] = []
    dm_st: str = ""
    group: int = 0
    pri: int = 0
    selector: str = ""


class _MapJson(msgspec.Struct, frozen=True):
    name: str
    uuid: str
    sysfs: str
    path_groups: list[_GroupJson] = []
    queueing: str = ""
    failback: str = ""
    features: str = ""
    hwhandler: str = ""


class _MapsJson(msgspec.Struct, frozen=True):
    major_version: int
    maps: list[_MapJson] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One path of a map. `device` is the sd name, `checker_state` multipathd's own view."""

    device: str
    device_number: str
    dm_state: str
    checker_state: str
    device_state: str
    checker: str
    path_priority: int

    @property
    def is_usable(self) -> bool:
        """The kernel sends I/O to it, and multipathd's checker agrees."""
        return self.dm_state == "active" and self.checker_state in ("ready", "ghost")


@dataclass(frozen=True, slots=True, kw_only=True)
class PathGroup:
    """Paths that are used alike."""

    dm_state: str
    path_priority: int
    selector: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """A multipath device. `device` is its kernel name, "dm-3"."""

    name: str
    wwid: str
    device: str
    queueing: str
    failback: str
    features: str
    hardware_handler: str
    path_groups: tuple[PathGroup, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths of all groups."""
        return tuple(path for group in self.path_groups for path in group.paths)


def decode_maps(text: bytes) -> list[Map]:
    """Decode the answer to `show maps json`; raise LabError saying what is wrong with it."""
    try:
        maps = msgspec.json.decode(text, type=_MapsJson).maps
    except msgspec.DecodeError as error:
        raise LabError(
            f"multipathd: show maps json: {error}; the answer: {text[:200]!r}"
        ) from error
    return [
        Map(
            name=one.name,
            wwid=one.uuid,
            device=one.sysfs,
            queueing=one.queueing,
            failback=one.failback,
            features=one.features,
            hardware_handler=one.hwhandler,
            path_groups=tuple(_group(group) for group in one.path_groups),
        )
        for one in maps
    ]


def _group(group: _GroupJson) -> PathGroup:
    return PathGroup(
        dm_state=group.dm_st,
        path_priority=group.pri,
        selector=group.selector,
        paths=tuple(
            Path(
                device=path.dev,
                device_number=path.dev_t,
                dm_state=path.dm_st,
                checker_state=path.chk_st,
                device_state=path.dev_st,
                checker=path.checker,
                path_priority=path.pri,
            )
            for path in group.paths
        ),
    )


class Daemon(Protocol):
    """Answers multipathd's interactive commands; raises LabError when it does not."""

    def ask(self, command: str) -> bytes:
        """Return the answer to *command*, without its final zero byte."""
        ...


class LocalDaemon:
    """This machine's multipathd, by its socket: half a millisecond, where a new process per
    question would cost the measuring machine a hundred times that.
    """

    __slots__ = ()

    def ask(self, command: str) -> bytes:
        """See Daemon.ask."""
        request = command.encode() + b"\0"
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(TIMEOUT_S)
                connection.connect(SOCKET_NAME)
                connection.sendall(LENGTH.pack(len(request)) + request)
                (length,) = LENGTH.unpack(_receive(connection, LENGTH.size))
                if length > REPLY_BYTES_MAX:
                    raise LabError(f"multipathd: {command}: an answer of {length} bytes")
                return _receive(connection, length).rstrip(b"\0")
        except OSError as error:
            raise LabError(f"multipathd: {command}: no answer: {error}") from error


class RemoteDaemon:
    """A host's multipathd, by its own client."""

    __slots__ = ("_shell",)

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def ask(self, command: str) -> bytes:
        """See Daemon.ask."""
        try:
            completed = self._shell.run(("multipathd", *command.split()), timeout_s=2 * TIMEOUT_S)
        except FaultError as error:
            raise LabError(f"{self._shell.reach}: {error}") from error
        return completed.stdout.encode()


def daemon_for(shell: Shell) -> Daemon:
    """Return the multipathd of the host that *shell* reaches."""
    return LocalDaemon() if shell.reach == "local" else RemoteDaemon(shell)


def read_maps(daemon: Daemon) -> list[Map]:
    """Return all maps; raise LabError when multipathd does not answer."""
    return decode_maps(daemon.ask("show maps json"))


def read_defaults(daemon: Daemon) -> dict[str, str]:
    """Return the settings of the section `defaults` that multipathd works with."""
    return decode_defaults(daemon.ask("show config local").decode("utf-8", "replace"))


def decode_defaults(text: str) -> dict[str, str]:
    """Return the settings of the first section `defaults` of a multipath configuration."""
    _, found, rest = text.partition("defaults {")
    if not found:
        raise LabError(f"multipathd: show config: no section defaults in {text[:200]!r}")
    settings: dict[str, str] = {}
    for line in rest.partition("}")[0].splitlines():
        name, _, value = line.strip().partition(" ")
        if name:
            settings[name] = value.strip().strip('"')
    return settings


def _receive(connection: socket.socket, length: int) -> bytes:
    """Receive exactly *length* bytes."""
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(length - len(parts))
        if not part:
            raise ConnectionResetError(f"closed after {len(parts)} of {length} bytes")
        parts += part
    return bytes(parts)
