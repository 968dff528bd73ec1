"""The description of a lab: `lab.toml` as typed, checked values.

One file describes any lab. The virtual lab writes one too, and the same code runs both. A LUN is
named by its WWID, never by /dev/sdX, which another boot may give to another disk.
"""

import tomllib
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec

from certify.acceptance import acceptance_problems
from certify.lab_checks import lab_problems
from certify.lab_errors import LabError as LabError
from certify.lab_errors import explain_shape, explain_toml

SCHEMA = 1


class Entry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of all tables of a lab file: immutable and strict about unknown keys."""


class Command(Entry, frozen=True, kw_only=True):
    """A command that does something to the system under test, or asks it something."""

    argv: list[str]
    timeout_s: float = 30.0


Plane = Literal["cross", "array", "host"]
"""What is probed beside the application, each path and the control disk: tagged reads through each
path, the arrays' legs, other hosts.
"""
PLANES: tuple[Plane, ...] = ("cross", "array", "host")


class General(Entry, frozen=True, kw_only=True):
    """[lab]: what the lab is. `planes` costs CPU of the host that measures."""

    name: str
    kind: str = "physical"  # "physical" or "virtual"
    kernel: str = ""  # of a virtual lab: "kvm", "uml", "tcg"
    target: str = ""  # of a virtual lab: what `--target` put under test
    topology: str = "single"
    times_indicative: bool = False  # an emulated CPU
    planes: list[Plane] = msgspec.field(default_factory=lambda: list(PLANES))


class Target(Entry, frozen=True, kw_only=True):
    """[system_under_test]: what is certified."""

    name: str
    note: str = ""


class Signatory(Entry, frozen=True, kw_only=True):
    """One who signs; in `signatories` a role alone will do."""

    role: str
    name: str = ""


class Revision(Entry, frozen=True, kw_only=True):
    """[[acceptance.revisions]]: what an issue of the report changed."""

    number: str
    date: date
    what: str


class Required(Entry, frozen=True, kw_only=True):
    """[[acceptance.required]]: a requirement of the customer, and what is to show that it is met.

    `by` names scenarios, or requirements of the protocol: "E1k", "HA-010".
    """

    id: str
    text: str
    by: list[str]


class Acceptance(Entry, frozen=True, kw_only=True):
    """[acceptance]: who accepts what under which document, and in what form the report is made.

    `logo` is a PNG or JPEG, relative to the lab file; once that is read, a path from here.
    """

    customer: str = ""
    contract: str = ""
    requirements: str = ""
    signatories: list[str | Signatory] = msgspec.field(
        default_factory=lambda: ["Test engineer", "Vendor representative", "Customer acceptance"]
    )
    language: str = "en"  # or "zh"
    paper: str = "A4"  # or "Letter"
    state: str = "draft"  # or "issued", which needs a revision
    revision: str = ""
    revisions: list[Revision] = []
    logo: str = ""
    required: list[Required] = []


class Host(Entry, frozen=True, kw_only=True):
    """[[host]]: where probes run. `reach` is "local" or "ssh:user@name".

    Hosts with the same `reach` are one machine. One that is a machine of its own probes its own
    multipath device of the load's unit; `python` starts a Python there that has this package.
    `settle` is run before each repeat of a scenario: what the host would do at some time anyhow,
    and what would be taken for a stall if it did it while it is measured.
    """

    name: str
    reach: str = "local"
    python: list[str] = msgspec.field(default_factory=lambda: ["python3"])
    settle: Command | None = None


class LogicalUnit(Entry, frozen=True, kw_only=True):
    """[[logical_unit]]: a LUN behind the system under test, on `host` by its multipath device.

    `also_on` names hosts that see it too. On the machine that measures, their paths are used one by
    one and never by multipath; a host that is a machine of its own uses its own multipath device.
    `unmap` takes it away from all hosts at the target, `map` gives it back, `is_unmapped` exits 0
    while it is away.
    """

    name: str
    wwid: str  # as multipath prints it: NAA with its leading 3
    size_bytes: int = 0  # what it must have; 0: whatever all its paths have
    purpose: str = "load"  # one of lab_checks.PURPOSES
    host: str = "host1"
    also_on: list[str] = []
    unmap: Command | None = None
    map: Command | None = None
    is_unmapped: Command | None = None


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
    the engine serves again. `leave` takes the engine out as planned and returns when it has left,
    `left` exits 0 while it is out, `rejoin` brings it back as `start` does. `manager` prints the
    process id of what manages the engine and has no part in its I/O. `log` prints what the engine
    has logged; it is asked once, at the end of a run.
    """

    name: str
    reach: str = "local"
    pid: Command | None = None
    start: Command | None = None
    ready: Command | None = None
    leave: Command | None = None
    left: Command | None = None
    rejoin: Command | None = None
    manager: Command | None = None
    log: Command | None = None


class Link(Entry, frozen=True, kw_only=True):
    """[link]: the link between the engines, which both survive the loss of.

    `cut` ends it and keeps it ended until `mend`; `is_cut` exits 0 while it is.
    """

    reach: str = "local"
    cut: Command | None = None
    mend: Command | None = None
    is_cut: Command | None = None


class Leg(Entry, frozen=True, kw_only=True):
    """[[array.leg]]: the copy of a logical unit on an array.

    `inspect_wwid` is a disk through which the suite may read the copy directly, without the
    system under test. `slow_device` is a device-mapper name beneath it that can be delayed.
    """

    logical_unit: str
    inspect_wwid: str = ""
    slow_device: str = ""


class Back(Entry, frozen=True, kw_only=True):
    """[array.back]: the way from all engines to an array, where a switch can close it.

    `cut` closes it until `mend`; `is_cut` exits 0 while it is, `is_whole` 0 once the array answers.
    """

    reach: str = "local"
    cut: Command | None = None
    mend: Command | None = None
    is_cut: Command | None = None
    is_whole: Command | None = None


class Array(Entry, frozen=True, kw_only=True):
    """[[array]]: one storage array.

    `hctl` selects the SCSI devices by which engines reach it (on the engines' own hosts), one
    glob per back path; `back` cuts that way by a switch, and goes before it. `detach` takes the
    array out of the system under test as planned, `attach` takes it in again and returns when it
    has begun to be copied to; `scrub` has the system under test compare its copies and exits 0 when
    they are equal. `busy` has the array itself answer BUSY or TASK SET FULL until `calm`; `is_busy`
    exits 0 while it does.
    """

    name: str
    reach: str = "local"
    hctl: list[str] = []
    back: Back | None = None
    leg: list[Leg] = []
    detach: Command | None = None
    attach: Command | None = None
    scrub: Command | None = None
    busy: Command | None = None
    calm: Command | None = None
    is_busy: Command | None = None


class Means(Entry, frozen=True, kw_only=True):
    """[[means]]: commands by which this lab expresses a scenario that needs gear of its own.

    `apply` breaks it, `heal` mends it, both may be called twice; `probe` exits 0 while it is
    broken and 1 while it is not, `healed` 0 once it is whole and 1 before. `hosts` are those that
    it takes away: their probes may end with it.
    """

    scenario: str  # the id: "P2"
    subject: str
    reach: str = "local"
    hosts: list[str] = []
    apply: Command
    probe: Command
    heal: Command
    healed: Command | None = None


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
    link: Link | None = None
    means: list[Means] = []
    limits: Limits = Limits()
    redundancy: Command | None = None  # exits 0 when the system under test says it is redundant
    target_logs: list[str] = []  # files of the system under test, copied into logs/


def load_lab(path: Path) -> Lab:
    """Read and check a lab file.

    Raises LabError with a line per problem: the file, the key, what was expected and seen.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"{path}: cannot be read: {error}") from error
    try:
        lab = msgspec.convert(tomllib.loads(text), Lab)
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path}: {explain_toml(error, text)}") from error
    except msgspec.ValidationError as error:
        raise LabError(f"{path}: {explain_shape(error, Lab)}") from error
    if lab.schema != SCHEMA:
        raise LabError(f"{path}: schema: expected {SCHEMA}, seen {lab.schema}")
    problems = [*lab_problems(lab), *acceptance_problems(lab.acceptance, path.parent)]
    if problems:
        raise LabError("\n".join(f"{path}: {problem}" for problem in problems))
    accepted = located(lab.acceptance, path.parent)
    return msgspec.structs.replace(lab, acceptance=accepted)


def located(accepted: Acceptance, folder: Path) -> Acceptance:
    """Return [acceptance] of a lab file in *folder* with a logo that is found from anywhere."""
    if not accepted.logo:
        return accepted
    return msgspec.structs.replace(accepted, logo=str((folder / accepted.logo).resolve()))
