"""The suite's end of a worker on another host: orders out, records in, in the suite's own time."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from certify import __version__
from certify.deadline import Clock, Deadline
from certify.hosts.clock import RoundTrip, best, evidence_of
from certify.hosts.gateway import ENDED, SOURCE, Gateway
from certify.hosts.messages import (
    Answer,
    Ask,
    Begin,
    Done,
    Failed,
    Halt,
    Hello,
    Ios,
    Message,
    Order,
    Ready,
    Told,
    ToSuite,
    encode,
    for_suite,
)
from certify.lab import LabError
from certify.probes import Emit
from certify.watcher import Emit as EmitEvent
from reports.record import EventKind, IoOutcome, IoRecord

START_S = 30.0
"""For Python to start there and load the probes; an emulated or crowded host takes its time."""
ANSWER_S = 3.0
TRIPS = 16
"""Round trips per comparison of clocks: the shortest of them counts."""
ASK_S = 1.0
STOOD_STILL_S = 3.0
SILENT_S = 10.0
"""A worker tells something five times a second; one that is silent for so long is gone."""
DRAIN_S = 25.0
"""For I/Os under way there: less than the runner gives to all."""
HALT_S = 5.0
"""Over that, for the worker to tell what became of them."""


@dataclass(slots=True, kw_only=True)
class RemoteHost:
    """Probes of one other host: `connect`, `begin`, `stop`, `drain`; not to be used again.

    Where `may_be_lost`, the fault of the scenario takes the host away, and that is no failure.
    """

    spec: str
    order: Order
    emit: Emit
    tell: EmitEvent
    may_be_lost: bool = False
    source: str = SOURCE
    clock: Clock = time.monotonic_ns
    failure: str = field(init=False, default="")
    _gateway: Gateway = field(init=False)
    _heard: threading.Condition = field(init=False, default_factory=threading.Condition)
    _said: set[type[ToSuite]] = field(init=False, default_factory=set)
    _refusal: str = field(init=False, default="")
    _asked: dict[int, int] = field(init=False, default_factory=dict)  # number -> when
    _trips: deque[RoundTrip] = field(init=False)
    _next_number: int = field(init=False, default=0)
    _shift_ns: int = field(init=False, default=0)
    _waiting_ms: float = field(init=False, default=0.0)
    _last_ns: int = field(init=False, default=0)
    _written: set[int] = field(init=False, default_factory=set)
    _lost: bool = field(init=False, default=False)
    _running: bool = field(init=False, default=False)
    _closing: threading.Event = field(init=False, default_factory=threading.Event)
    _asker: threading.Thread | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._gateway = Gateway(spec=self.spec, hear=self._hear, source=self.source)
        self._trips = deque(maxlen=TRIPS)

    @property
    def name(self) -> str:
        """The host's name in the lab file."""
        return self.order.host

    def connect(self) -> None:
        """Start the worker, compare clocks and have the device opened; raises LabError."""
        try:
            self._gateway.open(START_S)
            self._wait_for(Hello, START_S)
            self._compare("before")
            self._send(self.order)
            self._wait_for(Ready, START_S)
        except LabError as error:
            raise LabError(f"host {self.name}: {error}") from error
        self._last_ns = self.clock()
        self._asker = threading.Thread(target=self._ask_on, name=f"asks {self.name}", daemon=True)
        self._asker.start()

    def begin(self) -> None:
        """Start the probes; returns at once."""
        first, last = self.order.first_seq, self.order.last_seq
        data = {"state": "on", "first_seq": first, "last_seq": last}
        self.tell(EventKind.HOST, self.name, "its probes are on", data, self.clock())
        self._running = True
        self._send(Begin())

    def flowing(self, within_ms: float) -> bool:
        """Say whether no I/O there has been due for longer, as far as was told."""
        return self._lost or self._waiting_ms <= within_ms

    def written(self) -> list[int]:
        """Return the LBAs of the blocks with an acknowledged write, sorted."""
        return sorted(self._written)

    def stop(self) -> None:
        """Let nothing more become due; returns at once."""
        self._closing.set()
        if self._running and not self._lost:
            try:
                self._send(Halt(drain_s=DRAIN_S))
            except LabError as error:
                self._lose(str(error))

    def drain(self, deadline: Deadline) -> None:
        """After `stop`, wait for what is under way, compare clocks again and end the worker."""
        self._closing.set()
        if self._asker is not None:
            self._asker.join(ANSWER_S)
        try:
            if self._running and not self._lost:
                self._finish(deadline)
        except LabError as error:
            self._lose(str(error))
        finally:
            self._running = False
            self._gateway.close()

    def _finish(self, deadline: Deadline) -> None:
        self._wait_for(Done, max(deadline.remaining_s, HALT_S))
        self._compare("after")
        data = {"state": "ended"}
        self.tell(EventKind.HOST, self.name, "its probes ended", data, self.clock())

    def _ask_on(self) -> None:
        """Keep the worker's lease, and notice when it is silent."""
        looked_ns = self.clock()
        while not self._closing.wait(ASK_S):
            now, before_ns = self.clock(), looked_ns
            looked_ns = now
            if self._lost:
                return
            if now - before_ns > STOOD_STILL_S * 1e9:
                continue  # this process stood still; what was told meanwhile comes now
            silent_s = (now - self._last_ns) / 1e9
            if silent_s > SILENT_S:
                self._lose(f"silent for {silent_s:.0f} s")
                return
            try:
                self._ask()
            except LabError as error:
                self._lose(str(error))
                return

    def _compare(self, when: str) -> None:
        """Take round trips and record what they say of the clocks."""
        self._trips.clear()
        for count in range(1, TRIPS + 1):
            self._ask()
            self._wait_for_trips(count)
        self._record_clock(when)

    def _wait_for_trips(self, count: int) -> None:
        self._await(lambda: len(self._trips) >= count, ANSWER_S, "an answer")

    def _record_clock(self, when: str) -> None:
        trips = list(self._trips)
        if when == "before":
            self._shift_ns = best(trips).shift_ns
        detail, data = evidence_of(trips, when=when, used_ns=self._shift_ns)
        self.tell(EventKind.CLOCK, self.name, detail, data, self.clock())

    def _ask(self) -> None:
        number = self._next_number
        self._next_number += 1
        self._asked[number] = self.clock()
        self._send(Ask(number=number))

    def _send(self, message: Message) -> None:
        self._gateway.send(encode(message))

    def _wait_for(self, kind: type[ToSuite], seconds: float) -> None:
        self._await(lambda: kind in self._said, seconds, kind.__name__)

    def _await(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for something to be told; raise LabError when the worker refuses or is gone."""
        with self._heard:
            self._heard.wait_for(lambda: condition() or bool(self._refusal), seconds)
            if self._refusal:
                raise LabError(self._refusal)
            if not condition():
                raise LabError(f"expected {what} of its worker within {seconds:g} s, seen nothing")

    def _hear(self, data: bytes | None) -> None:
        """Take one message; in execnet's thread."""
        now = self._last_ns = self.clock()
        if data is None:
            self._end(ENDED)
            return
        try:
            message = for_suite(data)
        except msgspec.DecodeError as error:
            self._end(f"its worker said what is no message: {error}")
            return
        with self._heard:
            self._take(message, now)
            self._said.add(type(message))
            self._heard.notify_all()

    def _take(self, message: ToSuite, now: int) -> None:
        match message:
            case Ios():
                self._waiting_ms = message.waiting_ms
                for row in message.rows:
                    self._keep(row)
            case Answer(number=number) if number in self._asked:
                trip = RoundTrip(
                    asked_ns=self._asked.pop(number),
                    heard_ns=message.heard_ns,
                    told_ns=message.told_ns,
                    answered_ns=now,
                )
                self._trips.append(trip)
            case Told():
                self._note(message)
            case Hello(version=version) if version != __version__:
                self._refusal = f"expected Zerostall {__version__} there, seen {version}"
            case Failed(reason=reason):
                self._fail(reason)

    def _keep(self, row: IoRecord) -> None:
        """Record an I/O in the time of this host."""
        if row.op == "write" and row.outcome is IoOutcome.GOOD:
            self._written.add(row.lba)
        shift = self._shift_ns
        self.emit(
            msgspec.structs.replace(
                row,
                due_ns=row.due_ns + shift,
                sent_ns=row.sent_ns + shift if row.sent_ns >= 0 else -1,
                done_ns=row.done_ns + shift if row.done_ns >= 0 else -1,
            )
        )

    def _note(self, message: Told) -> None:
        shift = self._shift_ns
        data = message.data | {"host": self.name}
        if "from_ns" in data:
            data["from_ns"] = int(data["from_ns"]) + shift
        detail = f"{self.name}: {message.detail}"
        self.tell(message.kind, message.subject, detail, data, message.t_ns + shift)

    def _end(self, reason: str) -> None:
        """The connection is gone: after `drain` that is as it should be."""
        with self._heard:
            self._refusal = self._refusal or reason
            self._heard.notify_all()
        if self._running:
            self._lose(reason)

    def _fail(self, reason: str) -> None:
        self._refusal = self._refusal or reason
        if self._running:
            self.failure = self.failure or f"{self.name}: {reason}"

    def _lose(self, reason: str) -> None:
        """Record that nothing more is known of the host."""
        with self._heard:
            if self._lost:
                return
            self._lost = True
        if self._trips:
            self._record_clock("last")
        data = {"state": "lost"}
        self.tell(EventKind.HOST, self.name, f"lost: {reason}", data, self.clock())
        if not self.may_be_lost:
            self.failure = self.failure or f"{self.name}: {reason}"
