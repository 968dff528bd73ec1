"""The contract of a run folder: what each file holds, how it is read, how its integrity is proven.

`certify` writes these records and `reports` reads them; nothing else crosses that border.

```
runs/<utc>-<lab>/
  run.json          RunRecord        who, what, where, with which versions and timers
  plan.json         PlanRecord       what was to be done; its SHA-256 is quoted in the report
  events.jsonl      EventRecord      one line per event, one clock (CLOCK_MONOTONIC of the host)
  io/<scenario>-r<repeat>.parquet    every I/O of every probe, columns IO_COLUMNS
  conformance.json  ConformanceRecord
  verdict.json      JudgementRecord  what the judge made of the above; can be made again
  junit.xml         the same verdicts for CI
  logs/             text of every component
  logo.png          or logo.jpg, where the lab file names one
  manifest.json     ManifestRecord   SHA-256 of all of the above, written last
  report.pdf  report.html  report.json   made from the above, not part of it
```
"""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from reports.record_acceptance import Acceptance as Acceptance
from reports.record_acceptance import Revision as Revision
from reports.record_base import Record as Record
from reports.record_credibility import Credibility as Credibility
from reports.record_credibility import credibility_sentence as credibility_sentence
from reports.record_hosts import HostJudgement as HostJudgement
from reports.record_integrity import Counterexample as Counterexample
from reports.record_integrity import CounterexampleOperation as CounterexampleOperation
from reports.record_plan import OutagePlan as OutagePlan
from reports.record_plan import PlanRecord as PlanRecord
from reports.record_plan import ScenarioPlan as ScenarioPlan
from reports.record_plan import StepPlan as StepPlan
from reports.record_statistics import AttributionPhase as AttributionPhase
from reports.record_statistics import Statistic as Statistic
from reports.record_statistics import Summary as Summary

SCHEMA = 1
"""Version of the run folder. A reader refuses a newer one and says so."""


class RecordError(Exception):
    """A run folder is damaged, incomplete or of another schema; the message names the file."""


class Verdict(StrEnum):
    """What can be said of a scenario, an assertion or a run. A skip is never a pass."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_RUN = "NOT RUN"


class Grade(StrEnum):
    """How short the longest stall was, over all mandatory scenarios and repeats."""

    PLATINUM = "Platinum"
    GOLD = "Gold"
    SILVER = "Silver"
    BRONZE = "Bronze"
    NOT_CERTIFIED = "not certified"


class Tool(Record, frozen=True, kw_only=True):
    """The measuring tool itself."""

    version: str
    commit: str  # "" when not run from a checkout
    modified: bool  # the checkout had local changes


class Setting(Record, frozen=True, kw_only=True):
    """One host setting that bounds a stall (a timer, a retry count)."""

    name: str
    value: str
    source: str  # the file or command it was read from


class LogicalUnitRecord(Record, frozen=True, kw_only=True):
    """A LUN as the host sees it."""

    name: str
    wwid: str
    size_bytes: int
    block_bytes: int
    purpose: str  # "load", "conformance" or "control"


class PathRecord(Record, frozen=True, kw_only=True):
    """One way from a host to a logical unit through an engine."""

    name: str
    host: str
    engine: str
    logical_unit: str
    hctl: str
    device: str  # /dev/sdX at the time of the run, for reading logs; never used to find it again


class LabRecord(Record, frozen=True, kw_only=True):
    """The lab as it was found by preflight."""

    name: str
    kind: str  # "virtual" or "physical"
    kernel: str  # "kvm", "uml", "tcg" or "" on real gear
    target: str = ""  # what `--target` of a virtual lab put under test
    topology: str
    hosts: list[str]
    engines: list[str]
    arrays: list[str]
    logical_units: list[LogicalUnitRecord]
    paths: list[PathRecord]


class SystemUnderTest(Record, frozen=True, kw_only=True):
    """What is certified, as it identifies itself and as the lab file names it."""

    name: str
    vendor: str
    product: str
    revision: str
    serials: list[str]
    note: str = ""


class RunRecord(Record, frozen=True, kw_only=True):
    """run.json: everything about a run that is neither an event nor a measurement."""

    schema: int
    run_id: str
    tool: Tool
    lab: LabRecord
    system_under_test: SystemUnderTest
    acceptance: Acceptance
    versions: dict[str, str]
    host_timers: list[Setting]
    profile: str
    seed: int
    started_utc: str
    ended_utc: str  # "" while the run goes on
    anchor_utc_ns: int  # UTC at `anchor_monotonic_ns`
    anchor_monotonic_ns: int
    times_indicative: bool  # an emulated CPU: function and integrity hold, times do not
    complete: bool  # False until the last scenario was undone
    credibility: Credibility | None = None  # of the suite, as measured for its version


class EventKind(StrEnum):
    """Kinds of events.jsonl; the report and the judge know no others."""

    PHASE = "phase"  # subject: preflight, steady, fault, mend, recover, undo, done
    INJECTED = "injected"  # the fault was applied; t_ns is the moment the action took effect
    PROVEN = "proven"  # the fault was seen; detail says what was seen
    NOT_PROVEN = "not_proven"
    MENDED = "mended"
    MEND_PROVEN = "mend_proven"
    PATH_STATE = "path_state"  # subject: path name; data: {"state": "active"|"failed"|...}
    UEVENT = "uevent"
    KERNEL = "kernel"  # a kernel log line
    TARGET = "target"  # what the system under test says of itself
    REDUNDANCY = "redundancy"  # data: {"restored": bool}; detail says how it was seen
    COMPARE = "compare"  # data: {"equal": bool, "sectors": int, "first_difference_lba": int|None}
    READBACK = "readback"  # data: {"sectors": int}; the rows are in io/
    EXERCISE = "exercise"  # data: {"expected": str, "good": bool|None}; detail: what was observed
    STANDSTILL = "standstill"  # the suite itself stood still; data: {"from_ns": int, "ms": float}
    HOST = "host"  # another host's probes; data: {"state": "on"|"ended"|"lost"}
    CLOCK = (
        "clock"  # another host's clock; data: {"used_ns": int, "shift_ns": int, "error_ns": int}
    )
    NOTE = "note"
    ERROR = "error"  # the suite or the lab failed; the scenario is INCONCLUSIVE


class EventRecord(Record, frozen=True, kw_only=True):
    """One line of events.jsonl."""

    t_ns: int  # CLOCK_MONOTONIC of the host that runs the suite
    scenario: str  # "" outside scenarios
    repeat: int  # 1-based; 0 outside scenarios
    kind: EventKind
    subject: str
    detail: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class IoOutcome(StrEnum):
    """How one I/O ended."""

    GOOD = "good"
    ERROR = "error"  # errno says which
    CHECK_CONDITION = "check_condition"  # sense says why
    STATUS = "status"  # another SCSI status
    TRANSPORT = "transport"  # host or driver status
    NEVER = "never"  # no completion by the end of the scenario
    NOT_SENT = "not_sent"  # due, but no slot was free or the device could not be opened


class IoRecord(Record, frozen=True, kw_only=True, array_like=True, gc=False):
    """One I/O of one probe; a row of io/*.parquet, whose columns have these names and this order.

    Latency counts from `due_ns`, whatever delayed the sending (open loop).
    """

    # "app-fill", "app-write", "app-read", "control", "path:<name>" (TEST UNIT READY),
    # "cross:<path>" (reads by SG_IO), "array:<name>" (a leg, read past the system under test),
    # "host:<name>-write", "host:<name>-read", "readback:<path>"
    probe: str
    k: int  # number of the I/O in its probe
    op: str  # "write", "read", "test_unit_ready"
    lba: int  # in 512-byte sectors; -1 where it has no meaning
    blocks: int  # 512-byte sectors
    due_ns: int
    sent_ns: int  # -1: never sent
    done_ns: int  # -1: never completed
    outcome: IoOutcome
    errno: int
    status: int  # SCSI status byte; -1 where not SCSI
    sense: str  # "KEY/ASC/ASCQ" in hex, e.g. "2/04/0c"; "" if none
    tag: int  # sequence number written, or seen in every sector read; -1 if none or not uniform
    sectors: str  # raw tags of a read whose sectors differ or do not decode; "" of any other


IO_COLUMNS = IoRecord.__struct_fields__


class AssertionRecord(Record, frozen=True, kw_only=True):
    """One conformance assertion on one path."""

    family: str
    name: str
    path: str
    clause: str  # standard and clause
    cdb: str  # hex
    expected: str
    observed: str
    repeat_with: str  # a sg_raw line
    verdict: Verdict
    reason: str = ""


class ConformanceRecord(Record, frozen=True, kw_only=True):
    """conformance.json."""

    schema: int
    assertions: list[AssertionRecord]


class Check(Record, frozen=True, kw_only=True):
    """One line of 'expected and observed'."""

    name: str
    expected: str
    observed: str
    verdict: Verdict


class ScenarioJudgement(Record, frozen=True, kw_only=True):
    """What the judge says of one repeat of one scenario. Times are None where not measured."""

    id: str
    repeat: int
    verdict: Verdict
    reason: str
    grade: Grade | None
    stall_failover_ms: float | None  # the longest of all hosts
    stall_failback_ms: float | None
    noise_floor_ms: float | None  # worst I/O of the control probe in the same time
    steady_ms_max: float | None  # worst I/O of the application before the fault
    latency_ms_p50: float | None
    latency_ms_p99: float | None
    io_count: int
    io_errors: int
    sectors_written: int
    sectors_verified: int
    mismatches: int
    redundancy_restored_ms: float | None  # after the mend
    checks: list[Check]
    attribution: list[AttributionPhase]
    violations: list[Counterexample] = msgspec.field(default_factory=list)  # the first ones
    unattributed_ms: float | None = None  # part of the longest stall that no evidence explains
    standstill_ms: float | None = None  # longest standstill of the suite itself under load
    statistics: list[Statistic] = msgspec.field(default_factory=list)
    hosts: list[HostJudgement] = msgspec.field(default_factory=list)  # beside the measuring one


class Finding(Record, frozen=True, kw_only=True):
    """Something a reader must know that is not a line of a table."""

    severity: str  # "failure", "warning", "note"
    scenario: str
    text: str


class JudgementRecord(Record, frozen=True, kw_only=True):
    """verdict.json."""

    schema: int
    verdict: Verdict
    grade: Grade
    certified: bool
    sentence: str  # one sentence for the cover
    decision_rule: str
    exit_code: int
    scenarios: list[ScenarioJudgement]
    conformance_passed: int
    conformance_failed: int
    conformance_not_run: int
    findings: list[Finding]
    summaries: list[Summary] = msgspec.field(default_factory=list)


class ManifestEntry(Record, frozen=True, kw_only=True):
    """One file of the evidence."""

    path: str
    size_bytes: int
    sha256: str


class ManifestRecord(Record, frozen=True, kw_only=True):
    """manifest.json: written last; its own SHA-256 is the evidence root."""

    schema: int
    run_id: str
    files: list[ManifestEntry]


_R = TypeVar("_R", bound=Record)


def encode(record: Record) -> bytes:
    """Return *record* as indented JSON, keys in field order, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def load(path: Path, kind: type[_R]) -> _R:
    """Read one JSON record; raise RecordError naming the file and the field."""
    try:
        record = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError as error:
        raise RecordError(f"{path}: missing; expected {kind.__name__}") from error
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"{path}: not a {kind.__name__}: {error}") from error
    schema = getattr(record, "schema", SCHEMA)
    if schema > SCHEMA:
        raise RecordError(f"{path}: schema {schema}; this version reads up to {SCHEMA}")
    return record


def read_events(path: Path) -> Iterator[EventRecord]:
    """Yield the events of an events.jsonl; a torn last line, as a crash leaves it, is passed over.

    Raises RecordError for a damaged line elsewhere, naming its number, and for a file that cannot
    be read.
    """
    decoder = msgspec.json.Decoder(EventRecord)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError as error:
        raise RecordError(f"{path}: missing; expected the events of a run") from error
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error
    last = len(lines)
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number == last:
                return
            raise RecordError(f"{path}:{number}: not an event: {error}") from error
