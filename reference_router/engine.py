"""An engine: one process, one thread, one loop around the pure core. Shell.

Started by a supervisor, with which it shares a socket pair. It finds its legs, meets its peer,
learns or agrees the leg states, asks for the rings and serves.
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
from reference_router.cluster import Cluster, Role, Timing
from reference_router.config import EngineTable, LogicalUnitTable, RouterConfig
from reference_router.coordinator import Coordinator
from reference_router.device_server import AccessState, DeviceServer
from reference_router.front import Front, UioDevice
from reference_router.inquiry import Identity
from reference_router.legs import Probe
from reference_router.link import Link
from reference_router.log import Log
from reference_router.mirror import Command, Mirror, Outbox
from reference_router.scsi import (
    BECOMING_READY,
    BLOCK_BYTES,
    MANUAL_INTERVENTION_REQUIRED,
    TARGET_PORT_UNAVAILABLE,
    Sense,
)
from reference_router.supervision import Channel, Kind
from reference_router.ticker import Ticker

_MS = 1_000_000
_CLOCK_NS = 10 * _MS  # how far the time that the core is told may lag
_TICK_NS = 20 * _MS
_RESYNC_WAIT_S = 0.004
_STATUS_NS = 500 * _MS
_RINGS_WAIT_NS = 1000 * _MS  # then take the rings even if nothing can be served yet
_HELD_MARGIN_S = 1.0  # a held command is failed this long before the kernel's time-out
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
        self._units = {unit.name: self._coordinator(unit, sizes) for unit in config.logical_unit}
        self._cluster = Cluster(
            table.id,
            self._units,
            timing=_timing(config),
            config=config.digest(),
            may_cold_start=cold_start,
            outbox=self._outbox,
            now_ns=now_ns,
        )
        self._servers = {unit.name: self._server(unit, sizes) for unit in config.logical_unit}
        self._link = self._make_link()
        self._link_was_up = False
        self._uios: dict[str, UioDevice] = {}
        self._fronts: list[Front] = []
        self._busy_fds = {self._back.event_fd}  # those that carry no message
        self._rings_asked = False
        self._stopping_since_ns = 0
        self._started_ns = now_ns
        self._next_beat_ns = self._next_tick_ns = self._next_status_ns = 0
        self._status: dict[str, Any] = {}
        self._ticker = Ticker(_CLOCK_NS)
        self._epoll.register(self._ticker.fd, select.EPOLLIN)
        self._epoll.register(self._back.event_fd, select.EPOLLIN | select.EPOLLET)
        self._epoll.register(channel.fileno(), select.EPOLLIN)

    # Construction

    def _coordinator(self, unit: LogicalUnitTable, sizes: dict[str, int]) -> Coordinator:
        cluster = self._config.cluster
        mirror = Mirror(
            unit.name,
            legs=self._config.arrays,
            blocks=sizes[unit.name] // BLOCK_BYTES,
            region_blocks=cluster.resync_region_bytes // BLOCK_BYTES,
            outbox=self._outbox,
        )
        rate = cluster.resync_rate_bytes_per_s
        return Coordinator(mirror, self._outbox, rate_bytes_per_s=rate)

    def _server(self, unit: LogicalUnitTable, sizes: dict[str, int]) -> DeviceServer:
        cluster = self._config.cluster
        identity = Identity(
            vendor=cluster.vendor,
            product=cluster.product,
            revision=cluster.revision,
            serial=unit.serial,
            naa=bytes.fromhex(unit.naa),
            engine_id=self._table.id,
            max_transfer_blocks=cluster.max_transfer_blocks,
        )
        server = DeviceServer(identity, blocks=sizes[unit.name] // BLOCK_BYTES)
        server.not_ready = BECOMING_READY
        return server

    def _make_link(self) -> Link | None:
        peer = self._config.peer_of(self._table)
        if peer is None:
            return None
        listens = self._table.id < peer.id
        address = self._table.link if listens else peer.link
        return Link(address, listens=listens, epoll=self._epoll)

    # Loop

    def run(self) -> int:
        """Serve until told to stop; return the exit status."""
        gc.freeze()  # what is there now stays: no need to look at it again and again
        now_ns = time.monotonic_ns()
        while True:
            events = self._epoll.poll(self._wait_s())
            other = any(fd not in self._busy_fds for fd, _ in events)
            if other or not events:  # else the clock is at most a tick behind: see ticker
                self._ticker.rest()
                now_ns = time.monotonic_ns()
            due = now_ns >= self._next_tick_ns
            for io, result in self._back.ended():
                if isinstance(io, Probe):
                    self._probe_ended(io, result, now_ns)
                else:
                    self._cluster.leg_done(io, result, now_ns)
            for front in self._fronts:
                front.take(now_ns)
            if due or other:
                self._hear_peer(now_ns)
                self._hear_supervisor(now_ns)
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
            self._set_readiness()

    def _stopped(self, now_ns: int) -> bool:
        busy = sum(front.taken for front in self._fronts)
        if busy and now_ns - self._stopping_since_ns < _STOP_LIMIT_NS:
            return False
        self._log.say(f"stopped with {busy} commands under way")
        return True

    def _wait_s(self) -> float | None:
        return _RESYNC_WAIT_S if any(each.resync for each in self._units.values()) else None

    def _tick(self, now_ns: int) -> None:
        self._next_tick_ns = now_ns + _TICK_NS
        for probe in self._back.probes:
            unit, leg = probe.device.unit, probe.device.leg
            coordinator = self._units[unit]
            unused = leg not in coordinator.mirror.used
            if unused or not coordinator.available(leg):
                probe.start(now_ns, may_open=not coordinator.mirror.outstanding[leg])
        self._cluster.tick(now_ns)
        self._set_readiness()
        if not self._rings_asked and self._wants_rings(now_ns):
            self._rings_asked = self._channel.send(Kind.READY)

    def _wants_rings(self, now_ns: int) -> bool:
        if all(server.not_ready is None for server in self._servers.values()):
            return True
        return now_ns - self._started_ns > _RINGS_WAIT_NS

    def _set_readiness(self) -> None:
        peer = self._config.peer_of(self._table)
        groups = {self._table.id: AccessState.ACTIVE_OPTIMIZED}
        if peer is not None:
            joined = self._cluster.peer_joined
            groups[peer.id] = AccessState.ACTIVE_OPTIMIZED if joined else AccessState.UNAVAILABLE
        for unit, server in self._servers.items():
            server.not_ready = self._why_not_ready(unit)
            server.port_groups = groups

    def _why_not_ready(self, unit: str) -> Sense | None:
        if self._stopping_since_ns:
            return TARGET_PORT_UNAVAILABLE
        if self._cluster.waits_for_operator:
            return MANUAL_INTERVENTION_REQUIRED
        if self._cluster.role is Role.WAITING or not self._units[unit].serves():
            return BECOMING_READY
        return None

    # Actions of the core

    def _flush(self, now_ns: int) -> None:
        outbox = self._outbox
        while outbox.leg_io or outbox.completions:
            ios, outbox.leg_io = outbox.leg_io, []
            if ios:
                self._back.submit(ios)
            completions, outbox.completions = outbox.completions, []
            for command in completions:
                self._answer(command)
        for front in self._fronts:
            front.kick()
        if outbox.messages:
            messages, outbox.messages = outbox.messages, []
            if self._link is not None:
                self._link.send(messages)
        if outbox.notes:
            notes, outbox.notes = outbox.notes, []
            for note in notes:
                self._log.say(note)
            self._set_readiness()
            self._next_status_ns = 0
        if outbox.refuse_link and self._link is not None:
            why, outbox.refuse_link = outbox.refuse_link, ""
            self._link.close(f"refused: {why}")

    def _probe_ended(self, probe: Probe, result: int, now_ns: int) -> None:
        device = probe.device
        deadline_ns = self._config.cluster.leg_deadline_ms * _MS // 2
        good = probe.ended(result, now_ns, deadline_ns=deadline_ns)
        coordinator = self._units[device.unit]
        if good == coordinator.available(device.leg):
            return
        if not good and device.leg in coordinator.mirror.used:
            return  # in use meanwhile: what becomes of its commands decides
        coordinator.reach(device.leg, available=good, identity=device.identity)
        name = self._config.arrays[device.leg]
        word = f"in reach ({device.identity or 'no designator'})" if good else "out of reach"
        self._log.say(f"{device.unit}: leg {name} is {word}")
        self._next_tick_ns = 0

    def _answer(self, command: Command) -> None:
        front, entry = command.token
        if command.sense is not None:
            front.fail(entry, command.sense.fixed())
        else:
            front.finish(entry, data=None if command.write else self._back.data(command))
        self._back.release(command)

    # Peer and supervisor

    def _hear_peer(self, now_ns: int) -> None:
        link = self._link
        if link is None:
            return
        if link.connect(now_ns):
            self._link_was_up = True
            self._cluster.link_up(now_ns)
        for message in link.receive():
            self._cluster.take(message, now_ns)
        if self._link_was_up and not link.up:
            self._link_was_up = False
            self._log.say(f"link down: {link.closed_why}")
            self._cluster.link_down(now_ns)

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
            message = self._channel.receive()

    def _serve(self) -> None:
        for key, uio in self._uios.items():
            unit = key.partition("/")[0]
            self._fronts.append(Front(uio, self._servers[unit], self._units[unit].mirror))
            self._epoll.register(uio.fd, select.EPOLLIN | select.EPOLLET)
            self._busy_fds.add(uio.fd)
        self._log.say(f"serving {len(self._fronts)} devices as {self._cluster.role}")
        self._next_status_ns = 0

    def _beat(self, now_ns: int) -> None:
        self._next_beat_ns = now_ns + self._config.cluster.heartbeat_interval_ms * _MS
        self._channel.send(Kind.BEAT)
        if now_ns >= self._next_status_ns:
            self._next_status_ns = now_ns + _STATUS_NS
            status = self._report()
            if status != self._status:
                self._status = status
                self._channel.send(Kind.STATUS, status)

    def _report(self) -> dict[str, Any]:
        units = {}
        for name, each in self._units.items():
            mirror = each.mirror
            units[name] = {
                "epoch": mirror.epoch,
                "legs": {leg: each.shown(index) for index, leg in enumerate(mirror.legs)},
                "serves": self._servers[name].not_ready is None,
                "resynced_regions": each.resync.copied_regions if each.resync else None,
                "regions": mirror.regions,
            }
        return {
            "role": self._cluster.role,
            "peer_joined": self._cluster.peer_joined,
            "waits_for_operator": self._cluster.waits_for_operator,
            "serving": bool(self._fronts) and all(each["serves"] for each in units.values()),
            "units": units,
            "refused": [each.device.refusal for each in self._back.probes if each.device.refusal],
        }


def _timing(config: RouterConfig) -> Timing:
    cluster = config.cluster
    held_s = max(config.command_timeout_s - _HELD_MARGIN_S, 1.0)
    return Timing(
        leg_deadline_ns=cluster.leg_deadline_ms * _MS,
        command_deadline_ns=int(held_s * 1e9),
        peer_wait_ns=cluster.peer_wait_ms * _MS,
        leg_wait_ns=cluster.leg_wait_ms * _MS,
    )


def run_engine(
    config: RouterConfig,
    table: EngineTable,
    *,
    sizes: dict[str, int],
    cold_start: bool,
    supervisor_fd: int,
) -> int:
    """Run an engine as the child of a supervisor; return its exit status."""
    log = Log(Path(table.log), f"engine {table.name}[{os.getpid()}]")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    channel = Channel(socket.socket(fileno=supervisor_fd))
    engine = Engine(config, table, sizes=sizes, cold_start=cold_start, channel=channel, log=log)
    signal.signal(signal.SIGTERM, lambda *_: engine.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's business
    return engine.run()
