"""What happened in one repeat of one scenario: its plan, its events, its I/Os. Read-only.

The recorder writes histories, the checker judges them. An old run folder gives the same history
as a fresh one, so any run can be judged again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reports.record import (
    IO_COLUMNS,
    EventKind,
    EventRecord,
    IoOutcome,
    IoRecord,
    RecordError,
    ScenarioPlan,
    read_events,
)

APPLICATION = "app-"
CONTROL = "control"
PATH = "path:"
CROSS = "cross:"
ARRAY = "array:"
OTHER_HOST = "host:"
READBACK = "readback"

NOT_RUN = "not_run"
"""Subject of the NOTE that says why a scenario was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time on the host's monotonic clock, in ns; the end is not part of it."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One repeat of one scenario."""

    plan: ScenarioPlan
    repeat: int
    events: Sequence[EventRecord]
    ios: Sequence[IoRecord]
    tables: Sequence[Path] = ()  # the same I/Os in columns, once the run is sealed

    def of_kind(self, kind: EventKind) -> list[EventRecord]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if event.kind is kind]

    def first(self, kind: EventKind) -> EventRecord | None:
        """Return the first event of one kind, or None."""
        return next((event for event in self.events if event.kind is kind), None)

    def phase_ns(self, name: str) -> int | None:
        """Return when a phase began, or None if it never did."""
        for event in self.events:
            if event.kind is EventKind.PHASE and event.subject == name:
                return event.t_ns
        return None

    def of_probe(self, prefix: str) -> list[IoRecord]:
        """Return the I/Os of the probes whose names begin with *prefix*."""
        return [io for io in self.ios if io.probe.startswith(prefix)]

    @property
    def end_ns(self) -> int:
        """The end of observation: what was not done by then is never done."""
        observed = self.phase_ns("undo") or self.phase_ns("done")
        if observed is not None:
            return observed
        return max([event.t_ns for event in self.events] + [io.done_ns for io in self.ios] + [0])

    @property
    def mended_ns(self) -> int | None:
        """When the mending of all that was broken began; a flap's own mends come before."""
        first = self.first(EventKind.MENDED)
        return self.phase_ns("mend") or (first.t_ns if first else None)

    @property
    def steady(self) -> Window | None:
        """The time before the fault."""
        start = self.phase_ns("steady")
        if start is None:
            return None
        injected = self.first(EventKind.INJECTED)
        return Window(start_ns=start, end_ns=injected.t_ns if injected else self.end_ns)

    @property
    def failover(self) -> Window | None:
        """The time between the fault and its mending."""
        injected = self.first(EventKind.INJECTED)
        if injected is None:
            return None
        mended = self.mended_ns
        return Window(start_ns=injected.t_ns, end_ns=self.end_ns if mended is None else mended)

    @property
    def failback(self) -> Window | None:
        """The time from the mending to the end of observation."""
        mended = self.mended_ns
        return None if mended is None else Window(start_ns=mended, end_ns=self.end_ns)


def sent(io: IoRecord) -> bool:
    """Say whether the I/O left the suite."""
    return io.outcome is not IoOutcome.NOT_SENT


def spool_path(folder: Path, scenario: str, repeat: int) -> Path:
    """Return where the I/Os of a repeat are written while it goes on."""
    return folder / "io" / f"{scenario}-r{repeat}.jsonl"


def table_path(folder: Path, scenario: str, repeat: int) -> Path:
    """Return where the I/Os of a repeat are once the run is sealed."""
    return folder / "io" / f"{scenario}-r{repeat}.parquet"


def read_spool(path: Path) -> Iterator[IoRecord]:
    """Yield the I/Os of a spool file; a torn last line, as a crash leaves it, is passed over.

    Raises RecordError for a damaged line elsewhere, naming its number.
    """
    decoder = msgspec.json.Decoder(IoRecord)
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            yield decoder.decode(line)
        except msgspec.DecodeError as error:
            if number == len(lines):
                return
            raise RecordError(f"{path}:{number}: not an I/O: {error}") from error


def read_table(path: Path) -> list[IoRecord]:
    """Read the I/Os of a sealed run; raise RecordError when the columns are not the expected."""
    import polars  # slow to load, and not needed where runs are made

    frame = polars.read_parquet(path)
    if tuple(frame.columns) != IO_COLUMNS:
        raise RecordError(f"{path}: columns {frame.columns}; expected {list(IO_COLUMNS)}")
    return msgspec.convert(frame.rows(), list[IoRecord])


def read_ios(folder: Path, scenario: str, repeat: int) -> list[IoRecord]:
    """Read the I/Os of a repeat, sealed or not; [] when none were recorded."""
    table = table_path(folder, scenario, repeat)
    if table.is_file():
        return read_table(table)
    spool = spool_path(folder, scenario, repeat)
    return list(read_spool(spool)) if spool.is_file() else []


def read_history(
    folder: Path, plan: ScenarioPlan, repeat: int, events: Sequence[EventRecord] | None = None
) -> History:
    """Read one repeat of one scenario from a run folder.

    *events* of the whole run may be given, so that many histories share one reading.
    """
    if events is None:
        events = list(read_events(folder / "events.jsonl"))
    own = [event for event in events if event.scenario == plan.id and event.repeat == repeat]
    own.sort(key=lambda event: event.t_ns)
    table = table_path(folder, plan.id, repeat)
    return History(
        plan=plan,
        repeat=repeat,
        events=own,
        ios=read_ios(folder, plan.id, repeat),
        tables=[table] if table.is_file() else [],
    )
