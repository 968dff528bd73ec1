"""The supervisor of one engine: owns the kernel's objects, the engine's life and its tombstone.

A foreground daemon with one loop. When the engine dies (its pidfd), or stops beating and is
killed for it, its rings are reset and answered NOT READY until a new engine takes them over.
The kernel reports a death on the pidfd only after the process's asynchronous I/O has ended and
its files are closed (do_exit: exit_mm, exit_files, exit_notify in kernel/exit.c), so no write of
the dead engine can land after the tombstone stands.
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from reference_router.config import ConfigError, EngineTable, RouterConfig
from reference_router.configfs import ConfigfsError
from reference_router.control import Client, ControlError, ControlServer
from reference_router.devices import Devices
from reference_router.heartbeat import Pulse, patience, process_state
from reference_router.legs import size_of
from reference_router.log import open_log
from reference_router.metrics_server import MetricsServer
from reference_router.notify import notify
from reference_router.progress import Progress
from reference_router.state_file import StateFile
from reference_router.supervision import Channel, Kind, channel_pair

_MS = 1_000_000
_STOP_LIMIT_S = 3.0
_RESTART_PAUSES_NS = (500 * _MS, 1000 * _MS, 2000 * _MS, 5000 * _MS, 10_000 * _MS)
_SETTLED_NS = 60_000 * _MS  # an engine that lived this long restarts without a long pause
_LEG_WAIT_S = 10.0
_PRIORITY = 10


class Supervisor:
    """The loop and what it owns."""

    def __init__(self, config: RouterConfig, config_path: Path, table: EngineTable) -> None:
        """Take the engine's place on this machine, clean up, make the devices.

        Raises ConfigError, ConfigfsError or OSError.
        """
        self._config = config
        self._config_path = config_path
        self._table = table
        self._log = open_log(config, table, "supervisor")
        self._lock = lock_engine(Path(table.control))
        self._epoll = select.epoll()
        self._sizes = _sizes(config, table)
        self._devices = Devices(
            config, table, sizes=self._sizes, epoll=self._epoll, say=self._log.say
        )
        self._devices.clean_up()
        self._devices.create()
        self._control = ControlServer(Path(table.control))
        self._clients: dict[int, Client] = {}
        self._state_file = StateFile(Path(table.control), say=self._log.say)
        self._engine: subprocess.Popen[bytes] | None = None
        self._pidfd = -1
        self._channel: Channel | None = None
        self._status: dict[str, Any] = {}
        self._planned = self._leaving = False
        self._started_ns = self._restart_at_ns = 0
        self._pulse = Pulse(config.cluster.heartbeat_timeout_ms * _MS)
        self._deaths = self._starts = self._hang_kills = 0
        self._progress = Progress()
        self._snapshot = self._report()
        self._metrics = self._serve_metrics()
        self._wake, wake = socket.socketpair()
        for end in (self._wake, wake):
            end.setblocking(False)
        self._signal_end = wake
        signal.set_wakeup_fd(wake.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        self._epoll.register(self._control.fileno(), select.EPOLLIN)
        self._epoll.register(self._wake.fileno(), select.EPOLLIN)

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT; return the exit status."""
        self._start(cold_start=self._config.cluster.cold_start == "in_sync")
        notify("READY=1")
        interval_ns = self._config.cluster.heartbeat_interval_ms * _MS
        looped_ns = time.monotonic_ns()
        while not self._leaving:
            events = self._epoll.poll(interval_ns / 1e9)
            for fd, _ in events:
                self._handle(fd)
            now_ns = time.monotonic_ns()
            if now_ns - looped_ns > 4 * interval_ns:
                self._pulse.excuse(now_ns)  # this process was held up itself: judge nobody by it
            looped_ns = now_ns
            self._judge(now_ns)
            if self._restart_at_ns and now_ns >= self._restart_at_ns:
                self._start(cold_start=False)
            self._snapshot = self._report()
            self._state_file.publish(self._snapshot)
        return self._finish()

    def _handle(self, fd: int) -> None:
        if self._devices.answer(fd):
            return
        if fd == self._pidfd:
            self._engine_died()
        elif self._channel is not None and fd == self._channel.fileno():
            self._hear_engine(self._channel)
        elif fd == self._control.fileno():
            self._greet()
        elif fd in self._clients:
            self._hear_client(fd)
        elif fd == self._wake.fileno():
            self._wake.recv(64)

    def _leave(self, number: int, _: object) -> None:
        self._log.say(f"leaving on {signal.Signals(number).name}")
        self._leaving = True

    # Engine

    def _start(self, *, cold_start: bool, force: bool = False) -> None:
        self._restart_at_ns = 0
        self._planned = False
        self._status = {}
        self._channel, theirs = channel_pair()
        argv = [sys.executable, "-m", "reference_router", "engine"]
        argv += ["--config", str(self._config_path), "--engine", self._table.name]
        argv += ["--supervisor-fd", str(theirs.fileno()), "--sizes", json.dumps(self._sizes)]
        argv += ["--cold-start"] if cold_start else []
        argv += ["--force"] if force else []
        with theirs:
            self._engine = subprocess.Popen(argv, pass_fds=[theirs.fileno()])
        self._pidfd = os.pidfd_open(self._engine.pid)
        self._started_ns = time.monotonic_ns()
        self._pulse.started(self._started_ns)
        self._epoll.register(self._pidfd, select.EPOLLIN)
        self._epoll.register(self._channel.fileno(), select.EPOLLIN)
        self._starts += 1
        self._log.say(f"engine started as process {self._engine.pid}")

    def _hear_engine(self, channel: Channel) -> None:
        message = channel.receive()
        while message is not None:
            kind, body = message
            if kind is Kind.BEAT:
                self._pulse.beat(time.monotonic_ns())
            elif kind is Kind.STATUS:
                self._progress.add(body["units"], time.monotonic_ns())
                self._status = body
            elif kind is Kind.READY:
                self._devices.hand_over()
                channel.send(Kind.OPEN, self._devices.nodes)
            elif kind is Kind.OPENED:
                self._devices.reset()
                channel.send(Kind.GO)
                self._devices.export()
            message = channel.receive()
        if channel.closed:
            self._epoll.unregister(channel.fileno())

    def _judge(self, now_ns: int) -> None:
        """Kill an engine that hangs: woken up later, it would go on with what others redid."""
        if self._engine is None or self._config.cluster.supervision == "none":
            return
        silent_ns, limit_ns = self._pulse.silent_ns(now_ns), self._pulse.limit_ns
        if silent_ns <= limit_ns:
            return
        state = process_state(self._engine.pid)
        if silent_ns > patience(limit_ns, state):
            self._log.say(
                f"no heartbeat for {silent_ns // _MS} ms, process state {state or 'unknown'}: "
                "killing the engine"
            )
            self._engine.kill()
            self._hang_kills += 1
            self._pulse.excuse(now_ns)  # its death comes by the pidfd

    def _engine_died(self) -> None:
        if self._config.cluster.supervision == "tombstone":
            began_ns = time.monotonic_ns()
            self._devices.bury()
            took_ms = (time.monotonic_ns() - began_ns) / 1e6
            self._log.say(f"engine died: tombstone up in {took_ms:.1f} ms")
        else:
            self._log.say("engine died: supervision is off, nothing is done about it")
        self._epoll.unregister(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if self._channel is not None:
            if not self._channel.closed:
                self._epoll.unregister(self._channel.fileno())
            self._channel.close()
            self._channel = None
        if self._engine is not None:
            status = self._engine.wait()
            self._log.say(f"process {self._engine.pid} ended with status {status}")
            self._engine = None
        self._status = {}
        now_ns = time.monotonic_ns()
        if self._config.cluster.restart == "auto" and not self._planned and not self._leaving:
            self._deaths = 0 if now_ns - self._started_ns > _SETTLED_NS else self._deaths
            pauses = _RESTART_PAUSES_NS
            self._restart_at_ns = now_ns + pauses[min(self._deaths, len(pauses) - 1)]
            self._deaths += 1

    def _finish(self) -> int:
        notify("STOPPING=1")
        engine = self._engine
        if engine is not None:
            if self._channel is not None:
                self._channel.send(Kind.STOP)
            try:
                engine.wait(_STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()
        self._epoll.unregister(self._control.fileno())
        self._control.close()
        if self._metrics is not None:
            self._metrics.close()
        self._state_file.remove()
        self._epoll.close()
        self._epoll = select.epoll()
        self._devices.move_to(self._epoll)
        try:
            self._devices.remove()
        except ConfigfsError as error:
            self._log.say(str(error))
            return 1
        self._log.say("left, all objects removed")
        return 0

    # Control

    def _greet(self) -> None:
        client = self._control.accept()
        if client is not None:
            self._clients[client.fileno()] = client
            self._epoll.register(client.fileno(), select.EPOLLIN)

    def _hear_client(self, fd: int) -> None:
        client = self._clients[fd]
        try:
            question = client.question()
        except ControlError as error:
            self._log.say(str(error))
            question = {}
        if question is None:
            return
        self._epoll.unregister(fd)
        del self._clients[fd]
        client.answer(self._obey(question))

    def _obey(self, question: dict[str, Any]) -> dict[str, Any]:
        command = question.get("command")
        if command == "status":
            return self._report()
        if command == "start":
            words = {name: bool(question.get(name)) for name in ("cold_start", "force")}
            if self._engine is None:
                self._start(**words)
            elif any(words.values()):
                seen = f"process {self._engine.pid}"
                return {"error": f"expected the engine stopped, to give it a word, seen {seen}"}
            return self._report()
        if command in ("attach", "detach"):
            return self._manage(question)
        if command == "stop":
            self._planned = True
            self._restart_at_ns = 0
            if self._channel is not None:
                self._channel.send(Kind.STOP)
            return self._report()
        expected = "status, start, stop, attach or detach"
        return {"error": f"expected {expected}, seen {command!r}"}

    def _manage(self, question: dict[str, Any]) -> dict[str, Any]:
        array, unit = str(question.get("array")), str(question.get("unit") or "")
        known = ", ".join(self._config.arrays)
        if array not in self._config.arrays:
            return {"error": f"array: expected one of {known}, seen {array!r}"}
        if unit and unit not in self._sizes:
            return {"error": f"unit: expected one of {', '.join(self._sizes)}, seen {unit!r}"}
        if self._channel is None or self._engine is None:
            return {"error": "the engine is not running"}
        attach = question["command"] == "attach"
        self._channel.send(Kind.MANAGE, {"array": array, "unit": unit, "attach": attach})
        return self._report()

    def _serve_metrics(self) -> MetricsServer | None:
        """Serve metrics if the file says where. The router serves without them rather than not."""
        if not self._table.metrics:
            return None
        try:
            return MetricsServer(self._table.metrics, lambda: self._snapshot)
        except OSError as error:
            self._log.say(f"no metrics at {self._table.metrics}: {error.strerror}")
            return None

    def _report(self) -> dict[str, Any]:
        return {
            "engine": self._table.name,
            "pid": self._engine.pid if self._engine else None,
            "exported": self._devices.exported,
            "tombstone": self._devices.buried,
            "restarts": max(self._starts - 1, 0),
            "hang_kills": self._hang_kills,
            "supervision": self._config.cluster.supervision,
            "ready": bool(self._status.get("serving")) and self._devices.exported,
            **self._status,
        }


def lock_engine(control: Path) -> int:
    """Take an engine's place on this machine, until this process ends. Raises ConfigError."""
    path = control.with_name(control.name + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConfigError(f"{path}: another supervisor of this engine is running") from error
    return fd


def _sizes(config: RouterConfig, table: EngineTable) -> dict[str, int]:
    """Return the size of each unit in bytes: as configured, or of the smallest leg."""
    return {
        unit.name: unit.size_bytes or _smallest_leg(table.legs[unit.name])
        for unit in config.logical_unit
    }


def _smallest_leg(legs: dict[str, str]) -> int:
    deadline = time.monotonic() + _LEG_WAIT_S
    while True:
        try:
            return min(size_of(Path(path)) for path in legs.values()) // 512 * 512
        except OSError as error:
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"size of the unit: {error}; wait for the leg, or give size_bytes"
                ) from error
        time.sleep(0.1)


def run_supervisor(config: RouterConfig, config_path: Path, table: EngineTable) -> int:
    """Supervise an engine in the foreground; return the exit status."""
    _be_prompt()
    return Supervisor(config, config_path.resolve(), table).run()


def _be_prompt() -> None:
    """Run before ordinary processes: a busy machine must not hold up a tombstone.

    The loop does next to nothing, and the kernel throttles real-time processes that run away. The
    engine does not inherit it.
    """
    with contextlib.suppress(PermissionError):
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))
