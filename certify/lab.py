"""The description of a lab: `lab.toml` as typed, checked values.

One file describes any lab. The virtual lab writes one too, and the same code runs both. A LUN is
named by its WWID, never by /dev/sdX, which another boot may give to another disk.
"""

import tomllib
from pathlib import Path

import msgspec

SCHEMA = 1


class LabError(Exception):
    """The lab file is wrong; the message names the file, the key, what was expected and seen."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all tables of a lab file: immutable and strict about unknown keys."""


class Command(Entry, frozen=True, kw_only=True):
    """A command that does something to the system under test, or asks it something."""

    argv: list[str]
    timeout_s: float = 30.0


class General(Entry, frozen=True, kw_only=True):
    """[lab]: what the lab is."""

    name: str
    kind: str = "physical"  # "physical" or "virtual"
    kernel: str = ""  # of a virtual lab: "kvm", "uml", "tcg"
    target: str = ""  # of a virtual lab: what `--target` put under test
    topology: str = "single"
    times_indicative: bool = False  # an emulated CPU


class Target(Entry, frozen=True, kw_only=True):
    """[system_under_test]: what is certified."""

    name: str
    note: str = ""


class Acceptance(Entry, frozen=True, kw_only=True):
    """[acceptance]: who accepts what under which document."""

    customer: str = ""
    contract: str = ""
    requirements: str = ""
    signatories: list[str] = msgspec.field(
        default_factory=lambda: ["Test engineer", "Vendor representative", "Customer acceptance"]
    )


class Host(Entry, frozen=True, kw_only=True):
    """[[host]]: where probes run. `reach` is "local" or "ssh:user@name"."""

    name: str
    reach: str = "local"


class LogicalUnit(Entry, frozen=True, kw_only=True):
    """[[logical_unit]]: a LUN behind the system under test, on `host`."""

    name: str
    wwid: str  # as multipath prints it: NAA with its leading 3
    purpose: str = "load"  # "load" or "conformance"
    host: str = "host1"


class Control(Entry, frozen=True, kw_only=True):
    """[control]: a disk that no fault touches; it measures the noise floor."""

    wwid: str
    host: str = "host1"


class PathEntry(Entry, frozen=True, kw_only=True):
    """[[path]]: one way from a host port to the system under test.

    `hctl` selects its SCSI devices: "2:0:1:*" (a glob over host:channel:target:lun).
    """

    name: str
    host: str = "host1"
    engine: str
    hctl: str


class Engine(Entry, frozen=True, kw_only=True):
    """[[engine]]: one router controller, and how to find, start and ask it.

    `pid` prints the process id of the engine (virtual labs, software engines); `start` brings a
    dead engine back and returns when it is asked to, not when it is ready; `ready` exits 0 when
    the engine serves again.
    """

    name: str
    reach: str = "local"
    pid: Command | None = None
    start: Command | None = None
    ready: Command | None = None


class Leg(Entry, frozen=True, kw_only=True):
    """[[array.leg]]: the copy of a logical unit on an array.

    `inspect_wwid` is a disk through which the suite may read the copy directly, without the
    system under test. `slow_device` is a device-mapper name beneath it that can be delayed.
    """

    logical_unit: str
    inspect_wwid: str = ""
    slow_device: str = ""


class Array(Entry, frozen=True, kw_only=True):
    """[[array]]: one storage array.

    `hctl` selects the SCSI devices by which engines reach it (on the engines' own hosts), one
    glob per back path.
    """

    name: str
    reach: str = "local"
    hctl: list[str] = []
    leg: list[Leg] = []


class Limits(Entry, frozen=True, kw_only=True):
    """[limits]: the longest stall that is accepted, per scenario id or "default"."""

    failover_ms: dict[str, float] = {}
    failback_ms: dict[str, float] = {}


class Lab(Entry, frozen=True, kw_only=True):
    """A whole lab file."""

    schema: int
    lab: General
    system_under_test: Target
    acceptance: Acceptance = Acceptance()
    host: list[Host]
    logical_unit: list[LogicalUnit]
    control: Control | None = None
    path: list[PathEntry]
    engine: list[Engine]
    array: list[Array] = []
    limits: Limits = Limits()
    redundancy: Command | None = None  # exits 0 when the system under test says it is redundant
    target_logs: list[str] = []  # files of the system under test, copied into logs/


def load_lab(path: Path) -> Lab:
    """Read and check a lab file.

    Raises LabError naming the file, the key, what was expected and what was seen.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: cannot be read: {error}") from error
    try:
        lab = msgspec.convert(tomllib.loads(text), Lab)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise LabError(f"{path}: {error}") from error
    if lab.schema != SCHEMA:
        raise LabError(f"{path}: schema: expected {SCHEMA}, seen {lab.schema}")
    return lab
