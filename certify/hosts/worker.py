"""The prober on another host: the suite's own probes on that host's multipath device.

It serves one connection and lives no longer: when the suite's end is gone, or has said nothing for
LEASE_S, nothing more is sent to the device. It records nothing there; what ended is told several
times a second, in this host's own time.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from certify import __version__
from certify.deadline import Clock, Deadline
from certify.devices import find_map
from certify.division import WithCommon, readable
from certify.heartbeat import Heartbeat, tell_standstill
from certify.history import OTHER_HOST
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
    ToWorker,
    encode,
    for_worker,
)
from certify.lab import LabError, LogicalUnit
from certify.probes import OpenLoopProbe, open_device
from certify.quiet import quiet_interpreter
from certify.safety import refusals
from certify.workload import TaggedReads, TaggedWrites
from reports.record import EventKind, IoRecord

TELL_S = 0.2
"""How often what ended is told."""
LEASE_S = 10.0
"""The suite asks once a second; after so long without a word it is gone."""
GIVE_UP_S = 1.0
"""For I/Os under way when nobody listens any more."""
SLOTS = 1024


class Channel(Protocol):
    """What the worker needs of execnet's channel."""

    def send(self, item: bytes) -> None:
        """Send; raises OSError when the other end is gone."""
        ...

    def receive(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - as execnet has it
        """Return what was sent; raise TimeoutError of the channel, EOFError at the end."""
        ...


Open = Callable[[Order], tuple[str, int]]
"""Returns the name of the device to probe and its open descriptor."""


def open_map(order: Order) -> tuple[str, int]:
    """Open the multipath device of the unit, found by its WWID; raise LabError if it may not be."""
    unit = LogicalUnit(name=order.unit, wwid=order.wwid)
    found = find_map(unit)
    if found is None:
        raise LabError(f"logical unit {order.unit}: no multipath device of {order.wwid}")
    wanted = order.division.size_bytes
    if found.size_bytes != wanted:
        raise LabError(
            f"{found.device}: expected {wanted:,} bytes as on the measuring host, "
            f"seen {found.size_bytes:,}"
        )
    if reasons := refusals(found):
        raise LabError(reasons[0])
    return found.device, open_device(found.device, writable=True)


def serve(
    channel: Channel, *, open_unit: Open = open_map, clock: Clock = time.monotonic_ns
) -> None:
    """Do what the suite orders until the connection ends."""
    Worker(channel=channel, open_unit=open_unit, clock=clock).run()


@dataclass(slots=True, kw_only=True)
class Worker:
    """The state of one connection."""

    channel: Channel
    open_unit: Open = open_map
    clock: Clock = time.monotonic_ns
    _order: Order | None = None
    _descriptor: int = -1
    _probes: list[OpenLoopProbe] = field(default_factory=list)
    _heart: Heartbeat | None = None
    _ended: deque[IoRecord] = field(default_factory=deque)
    _told: deque[Told] = field(default_factory=deque)
    _heard_ns: int = 0
    _tell_ns: int = 0  # when to tell again

    def run(self) -> None:
        """Serve until the other end is gone; returns with every probe stopped."""
        self._heard_ns = self.clock()
        try:
            self._send(Hello(version=__version__))
            with quiet_interpreter():
                while self._step():
                    pass
        except EOFError:
            return  # nobody is left to be told
        except Exception as error:
            self._send(Failed(reason=repr(error)))
            raise
        finally:
            self._stop(GIVE_UP_S)

    def _step(self) -> bool:
        """Take a message if one comes in time, and tell what is due to be told.

        Returns False when the suite has been silent for too long.
        """
        data: bytes | None = None
        patience_s = max(0.0, (self._tell_ns - self.clock()) / 1e9)
        with suppress(OSError):  # execnet's TimeoutError is one
            data = self.channel.receive(timeout=patience_s)
        now = self.clock()
        try:
            if data is not None:
                self._heard_ns = now
                self._take(for_worker(data), now)
            if now >= self._tell_ns:
                self._tell_ns = now + int(TELL_S * 1e9)
                self._tell()
        except (LabError, OSError, ValueError) as error:
            self._send(Failed(reason=str(error)))
        return now - self._heard_ns < LEASE_S * 1e9

    def _take(self, message: ToWorker, now: int) -> None:
        match message:
            case Ask(number=number):
                self._send(Answer(number=number, heard_ns=now, told_ns=self.clock()))
            case Order():
                self._order = message
                device, self._descriptor = self.open_unit(message)
                self._send(Ready(device=device))
            case Begin():
                self._begin()
            case Halt(drain_s=drain_s):
                self._stop(drain_s)
                self._tell()
                self._send(Done())

    def _begin(self) -> None:
        order = self._order
        if order is None:
            raise ValueError("expected an order before the probes can begin, seen none")
        division, number = order.division, order.number
        own, common = division.own(number), division.shared(number)
        self._probes = [
            self._probe(
                order,
                "write",
                TaggedWrites(
                    WithCommon(own, common),
                    run=order.run,
                    writer=number + 1,
                    first_seq=order.first_seq,
                ),
            ),
            self._probe(
                order,
                "read",
                TaggedReads(
                    readable(division, number, (own, common)),
                    run=order.run,
                    seed=division.seed + number,
                ),
            ),
        ]
        self._heart = Heartbeat(beat_s=order.beat_s, clock=self.clock)
        self._heart.start(self._note)
        for probe in self._probes:
            probe.start()

    def _probe(
        self, order: Order, kind: str, workload: TaggedWrites | TaggedReads
    ) -> OpenLoopProbe:
        return OpenLoopProbe(
            name=f"{OTHER_HOST}{order.host}-{kind}",
            descriptor=self._descriptor,
            interval_ns=order.interval_ns,
            workload=workload,
            emit=self._ended.append,
            slots=SLOTS,
            overslept=self._overslept,
            clock=self.clock,
        )

    def _overslept(self, name: str, due_ns: int, woke_ns: int) -> None:
        detail = f"the sender of {name} was not let run for {(woke_ns - due_ns) / 1e6:.0f} ms"
        tell_standstill(self._note, detail, due_ns, woke_ns)

    def _note(
        self, kind: EventKind, subject: str, detail: str, data: dict[str, Any], t_ns: int
    ) -> None:
        self._told.append(Told(kind=kind, subject=subject, detail=detail, data=data, t_ns=t_ns))

    def _tell(self) -> None:
        """Tell what ended since, and what ended a probe before its time."""
        while self._told:
            self._send(self._told.popleft())
        rows = [self._ended.popleft() for _ in range(len(self._ended))]
        waiting_ms = max((probe.pulse().waiting_ms for probe in self._probes), default=0.0)
        if rows or self._probes:
            self._send(Ios(rows=rows, waiting_ms=waiting_ms))
        for probe in self._probes:
            if probe.failure:
                raise ValueError(f"a probe died: {probe.failure}")

    def _stop(self, drain_s: float) -> None:
        """Stop every probe and record what did not end within *drain_s*; harmless if none runs."""
        if self._heart is not None:
            self._heart.stop()
            self._heart = None
        probes, self._probes = self._probes, []
        for probe in probes:
            probe.stop()
        deadline = Deadline.after(drain_s)
        never = [probe.drain(deadline) for probe in probes]
        if self._descriptor >= 0 and not any(never):
            os.close(self._descriptor)
        self._descriptor = -1

    def _send(self, message: Message) -> None:
        try:
            self.channel.send(encode(message))
        except OSError as error:
            raise EOFError("the suite is gone") from error
