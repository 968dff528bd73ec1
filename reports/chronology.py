"""What happened in one repeat of a scenario, on the clock of its fault (0 = injected, in ms)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.record import AttributionPhase, EventKind, EventRecord, LabRecord

_NS_PER_MS = 1_000_000
_SAME_MS = 1.0
_TOGETHER_MS = 60.0  # state changes this close together are told as one


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A path was in *state* for a while; "" is not known."""

    start_ms: float
    end_ms: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """The states of one path."""

    path: str
    engine: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the sequence of events."""

    at_ms: float
    title: str
    text: str
    grave: bool = False
    part: tuple[float, float] | None = None  # the part of a stall that ended then
    direction: str = ""  # of the part: "failover" or "failback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronology:
    """One repeat of one scenario in order of time."""

    zero_ns: int
    injected: bool
    mended_ms: float | None
    start_ms: float
    end_ms: float
    events: tuple[EventRecord, ...]

    def ms(self, t_ns: int) -> float:
        """Return a CLOCK_MONOTONIC time as milliseconds after the fault."""
        return (t_ns - self.zero_ns) / _NS_PER_MS

    def mended_by(self, end_ms: float) -> float:
        """Return when mending began, *end_ms* where it never did."""
        return end_ms if self.mended_ms is None else self.mended_ms

    def broken(self, end_ms: float) -> tuple[float, float] | None:
        """Return the time of the fault, up to *end_ms* at most; None where nothing was injected."""
        return (0.0, self.mended_by(end_ms)) if self.injected else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventIndex:
    """The events of a run, gone through once for all that is drawn of them."""

    repeats: dict[tuple[str, int], list[EventRecord]]
    path_states: list[EventRecord]

    def chronology(self, scenario: str, repeat: int) -> Chronology | None:
        """Return the chronology of one repeat; None if there are no events of it."""
        return chronology_of(self.repeats.get((scenario, repeat), ()), scenario, repeat)


def index_events(events: Iterable[EventRecord]) -> EventIndex:
    """Group the events of a run."""
    repeats: dict[tuple[str, int], list[EventRecord]] = {}
    states: list[EventRecord] = []
    for event in events:
        repeats.setdefault((event.scenario, event.repeat), []).append(event)
        if event.kind is EventKind.PATH_STATE:
            states.append(event)
    return EventIndex(repeats=repeats, path_states=states)


def chronology_of(events: Iterable[EventRecord], scenario: str, repeat: int) -> Chronology | None:
    """Order the events of one repeat; None if there are none.

    Where nothing was injected (a baseline), zero is the begin of the phase "fault" or else of
    "steady".
    """
    own = sorted(
        (e for e in events if e.scenario == scenario and e.repeat == repeat), key=lambda e: e.t_ns
    )
    if not own:
        return None
    injected = _first(own, EventKind.INJECTED)
    zero = injected or _phase(own, "fault") or _phase(own, "steady") or own[0]
    # A flap is mended in between; what is drawn is the end of the fault as a whole.
    mended = _phase(own, "mend") or _first(own, EventKind.MENDED)

    def after(event: EventRecord) -> float:
        return (event.t_ns - zero.t_ns) / _NS_PER_MS

    return Chronology(
        zero_ns=zero.t_ns,
        injected=injected is not None,
        mended_ms=after(mended) if mended else None,
        start_ms=after(_phase(own, "steady") or own[0]),
        end_ms=after(_phase(own, "undo") or own[-1]),
        events=tuple(own),
    )


def _first(events: Iterable[EventRecord], kind: EventKind) -> EventRecord | None:
    return next((event for event in events if event.kind is kind), None)


def _phase(events: Iterable[EventRecord], name: str) -> EventRecord | None:
    phases = (event for event in events if event.kind is EventKind.PHASE)
    return next((event for event in phases if event.subject == name), None)


def load_units(lab: LabRecord) -> frozenset[str]:
    """Return the logical units that the application uses."""
    return frozenset(unit.name for unit in lab.logical_units if unit.purpose == "load")


def lanes_of(
    all_events: Iterable[EventRecord],
    lab: LabRecord,
    when: Chronology,
    *,
    start_ms: float,
    end_ms: float,
) -> list[Lane]:
    """Return one lane per path name of the lab between *start_ms* and *end_ms*.

    The state at the begin is the last one reported before it, in whatever scenario. Of paths that
    lead to several logical units, the one under load is shown.
    """
    load = load_units(lab)
    changes: dict[str, list[tuple[float, str]]] = {}
    for event in sorted(all_events, key=lambda e: e.t_ns):
        unit = event.data.get("lu")
        if event.kind is not EventKind.PATH_STATE or (load and unit and unit not in load):
            continue
        state = str(event.data.get("state", ""))
        changes.setdefault(event.subject, []).append((when.ms(event.t_ns), state))
    engines = {path.name: path.engine for path in lab.paths}
    names = list(engines) or sorted(changes)
    return [
        Lane(
            path=name,
            engine=engines.get(name, ""),
            spans=_spans(changes.get(name, []), start_ms, end_ms),
        )
        for name in names
    ]


def _spans(changes: list[tuple[float, str]], start: float, end: float) -> tuple[Span, ...]:
    state = next((state for at, state in reversed(changes) if at <= start), "")
    spans: list[Span] = []
    since = start
    for at, new in changes:
        if not start < at < end or new == state:
            continue
        spans.append(Span(start_ms=since, end_ms=at, state=state))
        since, state = at, new
    spans.append(Span(start_ms=since, end_ms=end, state=state))
    return tuple(spans)


_TITLES = {
    EventKind.INJECTED: "Fault injected",
    EventKind.PROVEN: "Fault proven",
    EventKind.NOT_PROVEN: "Fault not proven",
    EventKind.MENDED: "Fault mended",
    EventKind.MEND_PROVEN: "Mend proven",
    EventKind.PATH_STATE: "Path state",
    EventKind.TARGET: "System under test",
    EventKind.COMPARE: "Arrays compared",
    EventKind.READBACK: "Data read back",
    EventKind.ERROR: "Error of the suite",
}
_RANK = {
    EventKind.INJECTED: 0,
    EventKind.PROVEN: 0,
    EventKind.NOT_PROVEN: 0,
    EventKind.ERROR: 0,
    EventKind.MENDED: 0,
    EventKind.REDUNDANCY: 0,
    EventKind.PATH_STATE: 2,  # a path that failed: 1
    EventKind.COMPARE: 3,
    EventKind.MEND_PROVEN: 3,
    EventKind.READBACK: 4,
    EventKind.TARGET: 5,
}
_PATH_FAILED = 1


def sequence_of(
    when: Chronology,
    *,
    limit: int,
    explained: Sequence[AttributionPhase] = (),
    units: frozenset[str] = frozenset(),
) -> tuple[list[Moment], int]:
    """Return the moments a reader needs, at most *limit*, and how many others there were.

    The parts of a stall are among them, and stand for the event that ended them. Paths to other
    logical units than *units* go first where there are too many.

    State changes of several paths within a blink are one moment. Where there are too many, what
    proves the fault and its mend stays and what the components say goes first.
    """
    ranked = _told_once(list(_moments(when, units)), [_part(when, phase) for phase in explained])
    order = sorted(range(len(ranked)), key=lambda index: (ranked[index][0], index))
    kept = sorted(order[:limit])
    return [ranked[index][1] for index in kept], len(ranked) - len(kept)


def _told_once(events: list[tuple[int, Moment]], parts: list[Moment]) -> list[tuple[int, Moment]]:
    """Merge events and parts of a stall in order of time, what is told by both only once.

    A part explains more than the event that ended it. The mend ends no part of a stall.
    """
    mends = [moment for _, moment in events if moment.title == _TITLES[EventKind.MENDED]]
    parts = [part for part in parts if not any(_same(part, mend) for mend in mends)]
    kept = [
        (rank + 1 if parts and rank == _PATH_FAILED else rank, moment)
        for rank, moment in events
        if moment.grave or not any(_same(moment, part) for part in parts)
    ]
    last = [(0 if part is parts[-1] else 1, part) for part in parts]
    return sorted([*kept, *last], key=lambda one: one[1].at_ms)


def _same(one: Moment, other: Moment) -> bool:
    return abs(one.at_ms - other.at_ms) < _SAME_MS


def _part(when: Chronology, phase: AttributionPhase) -> Moment:
    back = when.mended_ms is not None and phase.from_ms >= when.mended_ms - _SAME_MS
    return Moment(
        at_ms=phase.to_ms,
        title=phase.name[:1].upper() + phase.name[1:],
        text=phase.evidence,
        part=(phase.from_ms, phase.to_ms),
        direction="failback" if back else "failover",
    )


def _moments(when: Chronology, units: frozenset[str]) -> Iterable[tuple[int, Moment]]:
    pending: list[EventRecord] = []
    for event in when.events:
        early = event.kind is EventKind.PATH_STATE and when.ms(event.t_ns) < when.start_ms
        if event.kind not in _RANK or early:
            continue
        if pending and not _belongs(pending, event):
            yield _path_moment(when, pending, units)
            pending = []
        if event.kind is EventKind.PATH_STATE:
            pending.append(event)
        else:
            yield _RANK[event.kind], _moment(when, event)
    if pending:
        yield _path_moment(when, pending, units)


def _belongs(pending: list[EventRecord], event: EventRecord) -> bool:
    if event.kind is not EventKind.PATH_STATE:
        return False
    close = (event.t_ns - pending[0].t_ns) / _NS_PER_MS <= _TOGETHER_MS
    return close and event.data.get("state") == pending[0].data.get("state")


def _path_moment(
    when: Chronology, events: list[EventRecord], units: frozenset[str]
) -> tuple[int, Moment]:
    names = sorted({event.subject for event in events})
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    state = str(events[0].data.get("state", "?"))
    detail = f" ({events[0].detail})" if events[0].detail else ""
    failed = state == "failed"
    moment = Moment(
        at_ms=when.ms(events[0].t_ns),
        title="Path failed" if failed else "Path state",
        text=f"{shown}: {state}{detail}",
    )
    seen = {str(event.data["lu"]) for event in events if event.data.get("lu")}
    if units and seen and not seen & units:
        return _RANK[EventKind.TARGET], moment
    return _PATH_FAILED if failed else _RANK[EventKind.PATH_STATE], moment


def _moment(when: Chronology, event: EventRecord) -> Moment:
    grave = event.kind in (EventKind.NOT_PROVEN, EventKind.ERROR)
    title = _TITLES.get(event.kind, "")
    if event.kind is EventKind.REDUNDANCY:
        grave = not event.data.get("restored", False)
        title = "Redundancy not restored" if grave else "Redundancy restored"
    if event.kind is EventKind.COMPARE:
        grave = not event.data.get("equal", False)
        title = "Arrays differ" if grave else "Arrays equal"
    named = not event.detail or event.detail.startswith(event.subject)
    text = event.detail or event.subject if named else f"{event.subject}: {event.detail}"
    return Moment(at_ms=when.ms(event.t_ns), title=title, text=text, grave=grave)
