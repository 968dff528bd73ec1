"""The witness: a small service in a third place, which gives each unit's vote to one engine. Shell.

It keeps what it ruled in a file before it says so. It needs no engine and no array, and engines
need it only when they have lost each other and a leg at once.
"""

import argparse
import contextlib
import fcntl
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from reference_router.config import ConfigError, RouterConfig, WitnessTable, load_config
from reference_router.durable import write_durably
from reference_router.frames import NONCE_BYTES, Codec
from reference_router.link import resolve, tune
from reference_router.log import Log
from reference_router.messages import MessageError
from reference_router.notify import notify
from reference_router.session import Session
from reference_router.witness_ledger import Ledger, LedgerError, from_file
from reference_router.witness_messages import (
    WITNESS_VERSION,
    Beat,
    Claim,
    Greeting,
    Refusal,
    Waive,
    Welcome,
    WitnessMessage,
    decode,
    encode,
)

_POLL_S = 0.2
_HALF_OPEN_NS = 2_000_000_000
_SILENT_NS = 30_000_000_000  # an engine beats every second
_SESSIONS_MAX = 16
_BACKLOG = 16


class WitnessError(Exception):
    """The witness cannot start; the message says what was expected and seen."""


class VoteFile:
    """The ledger on disk: locked, and changed in one rename. Raises WitnessError or OSError."""

    def __init__(self, path: Path, *, new: bool) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
            lock = os.open(path.with_suffix(".lock"), flags)
            opened.callback(os.close, lock)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WitnessError(f"{path}: another witness has it") from error
            self.ledger = _ledger_at(path, new=new)
            if new:
                self.keep()
            self.close = opened.pop_all().close

    def keep(self) -> None:
        """Write the ledger so that it outlives a loss of power."""
        write_durably(self._path, self.ledger.to_file())


def _ledger_at(path: Path, *, new: bool) -> Ledger:
    if new and path.exists():
        raise WitnessError(f"{path}: expected no file, as a new witness has none; it is there")
    if not new and not path.exists():
        raise WitnessError(
            f"{path}: no such file. A witness that has lost its votes could give one twice: "
            "start a new one, with --new, while both engines serve"
        )
    try:
        return Ledger() if new else from_file(path.read_bytes())
    except LedgerError as error:
        raise WitnessError(f"{path}: {error}") from error


class Service:
    """The loop and its sessions."""

    def __init__(
        self, config: RouterConfig, table: WitnessTable, file: VoteFile, say: Callable[[str], None]
    ) -> None:
        """Listen. Raises OSError."""
        self._config = config
        self._file = file
        self._say = say
        self._epoll = select.epoll()
        self._engines = {engine.id: engine.name for engine in config.engine}
        self._sessions: dict[Session, int] = {}  # to the engine that has greeted, 0 till then
        self._heard_ns: dict[Session, int] = {}
        self._listener = _listen(table.address)
        self._epoll.register(self._listener, select.EPOLLIN)
        self.leaving = False

    def run(self) -> None:
        """Serve until told to leave. A file that cannot be written ends it: raises OSError."""
        while not self.leaving:
            self._epoll.poll(_POLL_S)
            now_ns = time.monotonic_ns()
            self._accept(now_ns)
            for session in list(self._sessions):
                self._serve(session, now_ns)

    def dispose(self) -> None:
        """Close everything."""
        for session in list(self._sessions):
            self._end(session, "the witness leaves")
        self._listener.close()
        self._epoll.close()

    def _accept(self, now_ns: int) -> None:
        with contextlib.suppress(OSError):
            peer, _ = self._listener.accept()
            if len(self._sessions) >= _SESSIONS_MAX:
                oldest = min(self._sessions, key=lambda each: (self._sessions[each], each.began_ns))
                self._end(oldest, "too many sessions")
            tune(peer)
            nonce = secrets.token_bytes(NONCE_BYTES)
            codec = Codec(self._config.link_key, listens=True, nonce=nonce)
            session = Session(peer, codec, epoll=self._epoll, began_ns=now_ns)
            self._sessions[session], self._heard_ns[session] = 0, now_ns

    def _serve(self, session: Session, now_ns: int) -> None:
        session.flush()
        while session.read() and not session.refused:
            self._heard_ns[session] = now_ns
        while session.inbox and session in self._sessions:
            self._take(session, session.inbox.popleft())
        if session not in self._sessions:
            return
        silent_ns = now_ns - self._heard_ns[session]
        if session.failed:
            self._end(session, session.failed)
        elif not self._sessions[session] and now_ns - session.began_ns > _HALF_OPEN_NS:
            self._end(session, "no greeting within 2 s")
        elif silent_ns > _SILENT_NS:
            self._end(session, f"silent for {silent_ns // 1_000_000} ms")

    def _take(self, session: Session, body: bytes) -> None:
        engine = self._sessions[session]
        try:
            message = decode(body)
        except MessageError as error:
            self._refuse(session, str(error))
            return
        if isinstance(message, Greeting):
            self._greet(session, message)
        elif not engine:
            self._refuse(session, f"{type(message).__name__} before Greeting")
        elif isinstance(message, Claim | Waive):
            self._rule(session, engine, message)
        elif isinstance(message, Beat):
            session.send([encode(message)])
        else:
            self._refuse(session, f"not an engine's message: {message}")

    def _greet(self, session: Session, greeting: Greeting) -> None:
        expected = (WITNESS_VERSION, self._config.digest())
        if (greeting.version, greeting.config) != expected or greeting.engine not in self._engines:
            self._refuse(
                session,
                f"engine {greeting.engine}, version {greeting.version}, config {greeting.config}; "
                f"expected one of {sorted(self._engines)}, version {expected[0]}, "
                f"config {expected[1]}",
            )
            return
        for other, engine in list(self._sessions.items()):
            if engine == greeting.engine and other is not session:
                # So nothing that it said in an earlier one is heard after what it says in this.
                self._end(other, "a newer session")
        self._sessions[session] = greeting.engine
        self._say(f"engine {self._engines[greeting.engine]} is here")
        session.send([encode(Welcome())])

    def _rule(self, session: Session, engine: int, message: Claim | Waive) -> None:
        units = [unit.name for unit in self._config.logical_unit]
        if message.unit not in units:
            self._refuse(session, f"unit {message.unit!r}: expected one of {units}")
            return
        ruling, changed = self._file.ledger.rule(engine, message)
        if changed:
            self._file.keep()
        word = "claims" if isinstance(message, Claim) else "waives"
        holder = self._engines.get(ruling.holder, "nobody")
        if changed or isinstance(message, Waive):
            self._say(
                f"{message.unit}: engine {self._engines[engine]} {word} the vote of epoch "
                f"{message.membership}: {holder} has it"
            )
        session.send([encode(ruling)])

    def _refuse(self, session: Session, why: str) -> None:
        refusal: WitnessMessage = Refusal(why)
        session.send([encode(refusal)])
        self._end(session, f"refused: {why}")

    def _end(self, session: Session, why: str) -> None:
        engine = self._sessions.pop(session)
        del self._heard_ns[session]
        session.close()
        who = f"engine {self._engines[engine]}" if engine else "a stranger"
        self._say(f"{who}: session ended: {why}")


def witness(argv: list[str]) -> int:
    """Run the witness in the foreground until SIGTERM or SIGINT; return the exit status."""
    text = "Run the witness of a router in the foreground, until SIGTERM."
    parser = argparse.ArgumentParser(prog="reference_router witness", description=text)
    parser.add_argument("--config", type=Path, required=True, help="router.toml")
    text = "a new witness without votes: only while both engines serve"
    parser.add_argument("--new", action="store_true", help=text)
    arguments = parser.parse_args(argv)
    try:
        config = load_config(arguments.config)
        if config.witness is None:
            raise ConfigError(f"{arguments.config}: expected a [witness] table, seen none")
        return _run(config, config.witness, new=arguments.new)
    except (ConfigError, WitnessError) as error:  # these do not mend themselves
        sys.stderr.write(f"reference_router witness: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"reference_router witness: {error}\n")
        return 1


def _run(config: RouterConfig, table: WitnessTable, *, new: bool) -> int:
    file = VoteFile(Path(table.state), new=new)
    log = Log(
        Path(table.log),
        "witness",
        engine=config.cluster.name,
        units=[unit.name for unit in config.logical_unit],
        as_json=config.cluster.log_format == "json",
    )
    service = Service(config, table, file, log.say)

    def leave(*_: object) -> None:
        service.leaving = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    log.say(f"listening at {table.address}{', without votes' if new else ''}")
    notify("READY=1")
    try:
        service.run()
    finally:
        service.dispose()
        file.close()
    return 0


def _listen(address: str) -> socket.socket:
    family, where = resolve(address)
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(where)
    listener.listen(_BACKLOG)
    return listener
