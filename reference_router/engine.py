"""An engine: one process, one loop around the pure core. Shell.

Started by a supervisor, with which it shares a socket pair. It finds its legs, reads the keys on
them, meets its peer, asks for the rings and serves. Its only threads wait for reservation commands.
"""

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import Any

from reference_router.back import Back
from reference_router.cluster import Cluster
from reference_router.commands import Command, Outbox
from reference_router.config import EngineTable, RouterConfig
from reference_router.front import Front, Token, UioDevice
from reference_router.keys import Control, ControlResult
from reference_router.legs import Probe
from reference_router.link import Link
from reference_router.log import Log, open_log
from reference_router.messages import Message, decode, encode
from reference_router.ports import Ports
from reference_router.reservation_file import ReservationFiles
from reference_router.scsi import BLOCK_BYTES, Op
from reference_router.service_state import ServiceRequest
from reference_router.setup import TICK_NS, timing_of, unit_setups
from reference_router.status import status_of
from reference_router.supervision import Channel, Kind
from reference_router.ticker import Ticker
from reference_router.witness_client import WitnessClient

_MS = 1_000_000
_COPY_WAIT_S = 0.004
_STATUS_NS = 500 * _MS
_RINGS_WAIT_NS = 1000 * _MS  # then take the rings even if nothing can be served yet
_STOP_LIMIT_NS = 2000 * _MS
_PR_SET_PDEATHSIG = 1
_NICE = -10  # before the host's own work on the same machine


class Engine:
    """The loop and everything it owns."""

    def __init__(
        self,
        config: RouterConfig,
        table: EngineTable,
        *,
        sizes: dict[str, int],
        cold_start: bool,
        force: bool,
        channel: Channel,
        log: Log,
    ) -> None:
        """Build everything that needs no peer and no ring. `sizes` is in bytes by unit."""
        now_ns = time.monotonic_ns()
        self._config = config
        self._table = table
        self._log = log
        self._channel = channel
        self._epoll = select.epoll()
        self._back = Back(table.legs, arrays=config.arrays, sizes=sizes)
        self._outbox = Outbox()
        self._files = ReservationFiles(config, table, say=log.say)
        self._cluster = Cluster(
            table.id,
            unit_setups(
                config, sizes, cold_start=cold_start, force=force, persisted=self._files.load()
            ),
            timing=timing_of(config),
            config=config.digest(),
            outbox=self._outbox,
            now_ns=now_ns,
            has_witness=config.witness is not None,
        )
        self._ports = Ports(config, table, sizes=sizes, cluster=self._cluster)
        self._link = self._make_link()
        self._link_was_up = False
        self._witness: WitnessClient | None = None
        if config.witness is not None:
            self._witness = WitnessClient(
                config.witness.address,
                key=config.link_key,
                witness=self._cluster.witness,
                outbox=self._outbox,
                epoll=self._epoll,
                say=log.say,
            )
        self._uios: dict[str, UioDevice] = {}
        self._fronts: list[Front] = []
        self._busy_fds = {self._back.event_fd}  # those that carry no message
        self._rings_asked = False
        self._stopping_since_ns = 0
        self._started_ns = now_ns
        self._next_beat_ns = self._next_tick_ns = self._next_status_ns = 0
        self._status: dict[str, Any] = {}
        self._ticker = Ticker(TICK_NS)
        self._epoll.register(self._ticker.fd, select.EPOLLIN)
        for fd in (self._back.event_fd, self._back.control_fd):
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
        self._epoll.register(channel.fileno(), select.EPOLLIN)

    def _make_link(self) -> Link[Message] | None:
        peer = self._config.peer_of(self._table)
        if peer is None:
            return None
        listens = self._table.id < peer.id
        address = self._table.link if listens else peer.link
        key = self._config.link_key
        return Link(
            address, listens=listens, epoll=self._epoll, key=key, encode=encode, decode=decode
        )

    # Loop

    def run(self) -> int:
        """Serve until told to stop; return the exit status."""
        gc.freeze()  # what is there now stays: no need to look at it again and again
        now_ns = time.monotonic_ns()
        while True:
            events = self._epoll.poll(self._wait_s())
            other = not events or any(fd not in self._busy_fds for fd, _ in events)
            if other:
                # Else the ticker has not ticked, so the time is at most a tick behind.
                self._ticker.rest()
                now_ns = time.monotonic_ns()
            due = now_ns >= self._next_tick_ns
            if other or due:
                # First: after a pause of this process, the peer may have gone on without it.
                self._hear_peer(now_ns)
                if self._witness is not None:
                    self._witness.hear(now_ns)
                self._hear_supervisor(now_ns)
            self._end_leg_io(now_ns)
            for front in self._fronts:
                front.take(now_ns)
            if due:
                self._tick(now_ns)
            self._cluster.drive(now_ns)
            self._flush(now_ns)
            if now_ns >= self._next_beat_ns:
                self._beat(now_ns)
            if self._stopping_since_ns and self._stopped(now_ns):
                return 0
            if self._channel.closed:
                self._log.say("the supervisor is gone: leaving too, the kernel's time-out is left")
                return 1

    def stop(self) -> None:
        """Begin a planned stop: answer new commands NOT READY, end the old ones, leave."""
        if not self._stopping_since_ns:
            self._log.say("planned stop")
            self._stopping_since_ns = time.monotonic_ns()
            self._ports.stop()
            self._cluster.stop()

    def _stopped(self, now_ns: int) -> bool:
        busy = sum(front.taken for front in self._fronts)
        late = now_ns - self._stopping_since_ns >= _STOP_LIMIT_NS
        if not late and (busy or not self._cluster.stopped):
            return False
        how = "" if self._cluster.stopped else ", not cleanly"
        self._log.say(f"stopped with {busy} commands under way{how}")
        return True

    def _wait_s(self) -> float | None:
        if self._next_tick_ns == 0:
            return 0  # something has changed that a tick looks at
        copies = any(unit.leads and unit.copier.busy for unit in self._cluster.units.values())
        return _COPY_WAIT_S if copies else None

    def _end_leg_io(self, now_ns: int) -> None:
        for io, result in self._back.ended():
            if isinstance(io, Probe) and isinstance(result, int):
                self._probe_ended(io, result, now_ns)
            elif isinstance(io, Control) and isinstance(result, ControlResult):
                self._cluster.control_done(io, result)
            else:
                self._cluster.leg_done(io, result, now_ns)  # type: ignore[arg-type]

    def _tick(self, now_ns: int) -> None:
        self._next_tick_ns = now_ns + TICK_NS
        for probe in self._back.probes:
            unit, leg = self._cluster.units[probe.device.unit], probe.device.leg
            if leg not in unit.mirror.used or not unit.admission.mine[leg].available:
                may_open = not unit.mirror.outstanding[leg] and unit.keyring.idle(leg)
                probe.start(now_ns, may_open=may_open)
        self._cluster.tick(now_ns)
        self._ports.set_readiness()
        if not self._rings_asked and self._wants_rings(now_ns):
            self._rings_asked = self._channel.send(Kind.READY)

    def _wants_rings(self, now_ns: int) -> bool:
        return self._ports.all_ready or now_ns - self._started_ns > _RINGS_WAIT_NS

    # Actions of the core

    def _flush(self, now_ns: int) -> None:
        outbox = self._outbox
        if outbox.changed:
            self._state_changed()  # before any host has its answer
        while outbox.leg_io or outbox.completions or outbox.compares or outbox.answers:
            ios, outbox.leg_io = outbox.leg_io, []
            if ios:
                self._back.submit(ios)
            compares, outbox.compares = outbox.compares, []
            for command in compares:
                self._compare(command, now_ns)
            completions, outbox.completions = outbox.completions, []
            for command in completions:
                self._answer(command)
            answers, outbox.answers = outbox.answers, []
            for token, response in answers:
                token.front.end(token.entry, response, None)
        for front in self._fronts:
            front.kick()
        if outbox.controls:
            controls, outbox.controls = outbox.controls, []
            self._back.submit_controls(controls)
        if outbox.messages:
            messages, outbox.messages = outbox.messages, []
            if self._link is not None:
                self._link.send(messages)
        if self._witness is not None:
            self._witness.flush()
        if outbox.notes or outbox.refuse_link:
            self._flush_rare()

    def _state_changed(self) -> None:
        changed, self._outbox.changed = self._outbox.changed, []
        for name in changed:
            unit = self._cluster.units[name]
            self._files.keep(name, unit.kept_services)
            self._ports.adopt(name)
        self._ports.set_readiness()
        self._next_status_ns = self._next_tick_ns = 0  # and look at once at what was left in rings

    def _flush_rare(self) -> None:
        outbox = self._outbox
        notes, outbox.notes = outbox.notes, []
        for note in notes:
            self._log.say(note)
        self._ports.set_readiness()
        self._next_status_ns = 0
        if outbox.refuse_link and self._link is not None:
            why, outbox.refuse_link = outbox.refuse_link, ""
            self._link.close(f"refused: {why}")
            self._next_tick_ns = 0

    def _probe_ended(self, probe: Probe, result: int, now_ns: int) -> None:
        device = probe.device
        deadline_ns = self._config.cluster.leg_deadline_ms * _MS // 2
        good = probe.ended(result, now_ns, deadline_ns=deadline_ns)
        unit = self._cluster.units[device.unit]
        if good == unit.admission.mine[device.leg].available:
            return
        if not good and device.leg in unit.mirror.used:
            return  # in use meanwhile: what becomes of its commands decides
        self._cluster.reach(device.unit, device.leg, available=good, identity=device.identity)
        name = self._config.arrays[device.leg]
        word = f"in reach ({device.identity or 'no designator'})" if good else "out of reach"
        self._log.say(f"{device.unit}: leg {name} is {word}")
        self._next_tick_ns = 0

    def _compare(self, command: Command, now_ns: int) -> None:
        mismatch = command.token.mismatch(self._back.data(command))
        self._back.release(command)
        self._cluster.compared(command.token.front.mirror.name, command, mismatch, now_ns)

    def _answer(self, command: Command) -> None:
        token: Token = command.token
        if command.op == Op.READ and command.response is None:
            size = command.blocks * BLOCK_BYTES
            token.front.end_read(token.entry, self._back.pieces(command), size)
        else:
            token.front.end(token.entry, command.response, None)
        self._back.release(command)

    # Peer and supervisor

    def _hear_peer(self, now_ns: int) -> None:
        link = self._link
        if link is None:
            return
        if self._link_was_up and not link.up:
            self._link_lost(link, now_ns)
        if not link.up and not self._cluster.peer.dead:
            self._cluster.peer.dead = link.peer_is_dead()  # its end may be known only now
        if link.connect(now_ns):
            self._link_was_up = True
            self._cluster.link_up(now_ns)
        news = link.news()
        if news:
            self._log.say(f"link: no session: {news}")
        for message in link.receive():
            self._cluster.take(message, now_ns)
        if self._link_was_up and not link.up:
            self._link_lost(link, now_ns)

    def _link_lost(self, link: Link[Message], now_ns: int) -> None:
        self._link_was_up = False
        self._outbox.messages.clear()
        dead = link.peer_is_dead()
        self._log.say(f"link down: {link.closed_why}{'; the peer has ended' if dead else ''}")
        self._cluster.link_down(now_ns, peer_is_dead=dead)

    def _hear_supervisor(self, now_ns: int) -> None:
        message = self._channel.receive()
        while message is not None:
            kind, body = message
            if kind is Kind.OPEN:
                self._uios = {key: UioDevice(Path(node)) for key, node in body.items()}
                self._channel.send(Kind.OPENED)
            elif kind is Kind.GO:
                self._serve()
            elif kind is Kind.STOP:
                self.stop()
            elif kind is Kind.MANAGE:
                self._manage(body)
            message = self._channel.receive()

    def _manage(self, body: dict[str, Any]) -> None:
        for name in self._cluster.units:
            if body["unit"] in ("", name):
                leg = self._config.arrays.index(body["array"])
                self._cluster.manage(name, leg, attach=body["attach"])

    def _serve(self) -> None:
        for key, uio in self._uios.items():
            unit, _, host = key.partition("/")
            mirror = self._cluster.units[unit].mirror
            server = self._ports.servers[unit]
            barrier = self._cluster.units[unit].barrier
            self._fronts.append(
                Front(
                    uio,
                    server,
                    mirror,
                    host=host,
                    ask=self._asker(unit),
                    in_doubt=lambda barrier=barrier: barrier.in_doubt,  # type: ignore[misc]
                )
            )
            self._epoll.register(uio.fd, select.EPOLLIN | select.EPOLLET)
            self._busy_fds.add(uio.fd)
        self._log.say(f"serving {len(self._fronts)} devices")
        self._next_status_ns = 0

    def _asker(self, unit: str) -> Any:  # noqa: ANN401 - a function, see front.Asker
        def ask(request: ServiceRequest, token: Token, now_ns: int) -> None:
            self._cluster.ask(unit, request, token, now_ns)

        return ask

    def _beat(self, now_ns: int) -> None:
        self._next_beat_ns = now_ns + self._config.cluster.heartbeat_interval_ms * _MS
        self._channel.send(Kind.BEAT)
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + _STATUS_NS
            status = status_of(self._cluster, self._ports, self._back, fronts=self._fronts)
            if status != self._status:
                self._status = status
                self._channel.send(Kind.STATUS, status)


def run_engine(
    config: RouterConfig,
    table: EngineTable,
    *,
    sizes: dict[str, int],
    cold_start: bool,
    force: bool,
    supervisor_fd: int,
) -> int:
    """Run an engine as the child of a supervisor; return its exit status."""
    log = open_log(config, table, "engine")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    channel = Channel(socket.socket(fileno=supervisor_fd))
    engine = Engine(
        config,
        table,
        sizes=sizes,
        cold_start=cold_start,
        force=force,
        channel=channel,
        log=log,
    )
    signal.signal(signal.SIGTERM, lambda *_: engine.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's business
    return engine.run()
