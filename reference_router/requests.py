"""Requests of hosts that change what both engines agree on: applied in a barrier. Pure.

The leader applies one at a time. The answer travels in the state that the barrier commits, so that
whoever finishes the barrier also knows the answer, and none is applied twice.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from reference_router import scsi
from reference_router.messages import Answer, Ask, Reply
from reference_router.scsi import Response
from reference_router.service import ServiceRequest, apply

if TYPE_CHECKING:
    from reference_router.unit import Unit

_NO_ANSWER = scsi.check_condition(scsi.COMMUNICATION_FAILURE)
_BUSY = Response(status=scsi.Status.BUSY)
_WAITING_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    token: Any
    request: ServiceRequest
    since_ns: int


class Requests:
    """The requests of one logical unit in one engine."""

    def __init__(self, unit: "Unit", *, hosts: tuple[str, ...], engines: tuple[int, ...]) -> None:
        self._unit = unit
        self._hosts, self._engines = hosts, engines
        self._mine: dict[int, _Asked] = {}
        self._queue: deque[tuple[int, int, ServiceRequest]] = deque()  # engine, number, request
        self._next = 1

    @property
    def waiting(self) -> bool:
        """Tell whether a request waits to be applied."""
        return bool(self._queue)

    def ask(self, request: ServiceRequest, token: object, now_ns: int) -> None:
        """Take a request of a host of this engine."""
        unit = self._unit
        if not unit.serves:
            unit.outbox.answers.append((token, _NO_ANSWER))
            return
        if len(self._mine) >= _WAITING_MAX:
            unit.outbox.answers.append((token, _BUSY))
            return
        # Not a number of an earlier run of this engine: its answer may still be on the way.
        number = max(self._next, now_ns)
        self._next = number + 1
        self._mine[number] = _Asked(token=token, request=request, since_ns=now_ns)
        self._pass_on(number, request)

    def take_ask(self, message: Ask) -> None:
        """As leader, take a request of the follower's."""
        unit = self._unit
        if unit.leads and unit.shared and len(self._queue) < 2 * _WAITING_MAX:
            self._queue.append((self._unit.peer.engine_id, message.request, message.service))

    def take_reply(self, answer: Answer) -> None:
        """Take the answer to a request that has changed nothing."""
        self._answered(answer)

    def committed(self, answer: Answer | None) -> None:
        """Take the answer that a barrier has made true."""
        if answer is not None and answer.engine == self._unit.engine_id:
            self._answered(answer)

    def members_changed(self) -> None:
        """Forget requests of who is no member, and as follower all: they are the leader's."""
        mine = self._unit.engine_id if self._unit.leads else 0
        if not (self._unit.leads and self._unit.shared):
            self._queue = deque(each for each in self._queue if each[0] == mine)

    def alone(self) -> None:
        """Ask again, now of this engine itself, what the lost leader may not have heard."""
        self._queue = deque(each for each in self._queue if each[0] == self._unit.engine_id)
        queued = {number for _, number, _ in self._queue}
        for number, asked in self._mine.items():
            if number not in queued:
                self._queue.append((self._unit.engine_id, number, asked.request))

    def lose(self) -> None:
        """Answer all: this engine does not serve any more."""
        for asked in self._mine.values():
            self._unit.outbox.answers.append((asked.token, _NO_ANSWER))
        self._mine.clear()
        self._queue.clear()

    def tick(self, now_ns: int, *, deadline_ns: int) -> None:
        """Answer what has waited too long."""
        for number, asked in list(self._mine.items()):
            if now_ns - asked.since_ns > deadline_ns:
                del self._mine[number]
                self._unit.outbox.answers.append((asked.token, _NO_ANSWER))

    def drive(self) -> None:
        """As leader, apply the next request. Not called while a barrier is under way."""
        unit = self._unit
        while self._queue and unit.barrier.proposal is None:
            engine, number, request = self._queue.popleft()
            if engine == unit.engine_id and number not in self._mine:
                continue  # it was answered for lateness: applying it now would be a ghost
            change = apply(unit.state.services, request, hosts=self._hosts, engines=self._engines)
            answer = Answer(
                engine=engine,
                request=number,
                status=change.response.status,
                sense=change.response.sense,
                data=change.response.data,
            )
            if change.state == unit.state.services and not change.attentions:
                self._reply(answer)
                continue
            state = msgspec.structs.replace(
                unit.state,
                epoch=unit.state.epoch + 1,
                services=change.state,
                answer=answer,
                attentions=change.attentions,
            )
            unit.barrier.propose(state, f"request of {request.host} by engine {engine}")

    def _pass_on(self, number: int, request: ServiceRequest) -> None:
        unit = self._unit
        if unit.leads:
            self._queue.append((unit.engine_id, number, request))
        else:
            unit.send(Ask(unit.name, number, request))

    def _reply(self, answer: Answer) -> None:
        if answer.engine == self._unit.engine_id:
            self._answered(answer)
        else:
            self._unit.send(Reply(self._unit.name, answer))

    def _answered(self, answer: Answer) -> None:
        asked = self._mine.pop(answer.request, None)
        if asked is not None:
            response = Response(answer.status, answer.data, answer.sense)
            self._unit.outbox.answers.append((asked.token, response))
