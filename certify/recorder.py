"""Writes events and I/Os while a run goes on, so that whatever dies, what was recorded survives.

Probes hand over records from their threads; one thread of its own writes them every 0.2 s. The
kernel is then told to start writing them out (sync_file_range(2)): when the run is inside a guest
whose folder is the host's, that is what brings them to the host. A full fsync would stall the
machine that is being measured.
"""

import ctypes
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from certify.deadline import Clock
from certify.history import spool_path
from reports.record import EventKind, EventRecord, IoRecord

FLUSH_S = 0.2
_SYNC_FILE_RANGE_WRITE = 2


class Recorder:
    """The open history of a run. All methods may be called from any thread."""

    def __init__(self, folder: Path, *, clock: Clock = time.monotonic_ns) -> None:
        """Append to *folder*; its `io` folder is made if needed."""
        (folder / "io").mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._encoder = msgspec.json.Encoder()
        self._events = _Stream(folder / "events.jsonl")
        self._ios: _Stream | None = None
        self._scenario = ""
        self._repeat = 0
        self._waiting: deque[IoRecord] = deque()
        self._standstills: deque[EventRecord] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def begin(self, scenario: str, repeat: int) -> None:
        """Let all that follows belong to one repeat of one scenario."""
        self.flush()
        with self._lock:
            self._close_ios()
            self._scenario, self._repeat = scenario, repeat

    def end(self) -> None:
        """Close the scenario; what follows belongs to the run."""
        self.flush()
        with self._lock:
            self._close_ios()
            self._scenario, self._repeat = "", 0

    def event(
        self,
        kind: EventKind,
        subject: str,
        detail: str = "",
        data: dict[str, Any] | None = None,
        t_ns: int | None = None,
    ) -> EventRecord:
        """Record one event, now unless *t_ns* says when, and return it.

        A standstill is written with the next I/Os: it is told by threads that measure, which must
        not wait for a file.
        """
        record = EventRecord(
            t_ns=self._clock() if t_ns is None else t_ns,
            scenario=self._scenario,
            repeat=self._repeat,
            kind=kind,
            subject=subject,
            detail=detail,
            data=data or {},
        )
        if kind is EventKind.STANDSTILL:
            self._standstills.append(record)
            return record
        with self._lock:
            self._events.write(self._line(record))
        return record

    def io(self, record: IoRecord) -> None:
        """Record one I/O; costs no system call."""
        self._waiting.append(record)

    def flush(self) -> None:
        """Write all that was handed over until now."""
        with self._lock:
            while self._standstills:
                self._events.write(self._line(self._standstills.popleft()))
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not batch or not self._scenario:
                return
            if self._ios is None:  # only now: a scenario without an I/O has no file
                self._ios = _Stream(spool_path(self._folder, self._scenario, self._repeat))
            self._ios.write(b"".join(map(self._line, batch)))

    def close(self) -> None:
        """Write what is left and stop; the folder is then complete as far as it went."""
        self._stopping.set()
        self._thread.join()
        self.end()
        self._events.close()

    def _line(self, record: IoRecord | EventRecord) -> bytes:
        return self._encoder.encode(record) + b"\n"

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_S):
            self.flush()

    def _close_ios(self) -> None:
        if self._ios is not None:
            self._ios.close()
            self._ios = None


class _Stream:
    """A file that is only ever appended to."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.sync_file_range.argtypes = [
            ctypes.c_int,
            ctypes.c_int64,
            ctypes.c_int64,
            ctypes.c_uint,
        ]

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        # File systems that cannot do this write through or back by themselves.
        self._libc.sync_file_range(self._descriptor, 0, 0, _SYNC_FILE_RANGE_WRITE)

    def close(self) -> None:
        os.close(self._descriptor)
