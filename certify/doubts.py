"""What is not certain of other hosts: how far their clocks were off, and how they ended. Pure.

The suite adds one figure to all times of a host in a repeat, taken before its probes began. How
wrong that can have been, each comparison of the clocks says: by how far it is from that figure,
and by how much it may itself be wrong. Between two comparisons a clock drifts from the one to the
other.
"""

from certify.history import OTHER_HOST, History
from certify.integrity import Doubt
from reports.record import EventKind, EventRecord

NEVER_COMPARED_NS = 1 << 60
"""Of a host whose clock nobody compared: nothing can be said of before and after."""
ON, ENDED, LOST = "on", "ended", "lost"
"""What the HOST events of a host say."""


def doubts_of(history: History) -> list[Doubt]:
    """Return what is not certain of each other host that the plan names."""
    return [_doubt(history, host) for host in history.plan.hosts]


def _doubt(history: History, host: str) -> Doubt:
    told = events_of(history, EventKind.HOST, host)
    on = next((event for event in told if event.data.get("state") == ON), None)
    probes = prefix(host)
    error_ns = clock_error_ns(history, host)
    if on is None or has_ended(history, host):
        return Doubt(probes=probes, error_ns=error_ns)
    return Doubt(
        probes=probes,
        error_ns=error_ns,
        first=int(on.data.get("first_seq", 0)),
        last=int(on.data.get("last_seq", -1)),
    )


def prefix(host: str) -> str:
    """Return how the names of the probes of a host begin."""
    return f"{OTHER_HOST}{host}-"


def clock_error_ns(history: History, host: str) -> int:
    """Return by how much the times of a host may be wrong, at most."""
    return max(
        (
            abs(int(event.data["shift_ns"]) - int(event.data["used_ns"]))
            + int(event.data["error_ns"])
            for event in events_of(history, EventKind.CLOCK, host)
        ),
        default=NEVER_COMPARED_NS,
    )


def has_ended(history: History, host: str) -> bool:
    """Say whether the host told what became of all its I/Os."""
    told = events_of(history, EventKind.HOST, host)
    return any(event.data.get("state") == ENDED for event in told)


def loss_of(history: History, host: str) -> EventRecord | None:
    """Return the event that says that the host was lost, None if it was not."""
    told = events_of(history, EventKind.HOST, host)
    return next((event for event in told if event.data.get("state") == LOST), None)


def events_of(history: History, kind: EventKind, host: str) -> list[EventRecord]:
    """Return the events of one kind that are about one host."""
    return [event for event in history.of_kind(kind) if event.subject == host]
