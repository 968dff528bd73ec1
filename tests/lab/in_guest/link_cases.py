"""The link is cut while both engines live."""

import signal
import threading
import time
from typing import Any

from tests.lab.in_guest.engine_cases import WORKERS
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.registers import Load
from tests.lab.in_guest.relay import Relay
from tests.lab.in_guest.router import ENGINES, redundant, wait_until

WATCH_S = 4.0


class Watch:
    """Looks at both engines while a cable is out."""

    def __init__(self) -> None:
        self.both_alone = 0
        self.samples = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            alone = [
                engine.unit().get("members") == [number] and engine.status()["ready"]
                for number, engine in enumerate(ENGINES, start=1)
            ]
            self.samples += 1
            self.both_alone += all(alone)
            time.sleep(0.03)


def link_cut() -> dict[str, Any]:
    """The cable is pulled (both see the end), put back, then swallows everything for a while."""
    relay = Relay()
    _, two = ENGINES
    two.run("stop")
    relay.install()
    try:
        two.start()
        wait_until("redundant through the relay", redundant)
        with Load(WORKERS, by_map=True) as load, Watch() as watch:
            load.progress(5)
            cut = _outage(relay, load, signal.SIGKILL)
            silent = _outage(relay, load, signal.SIGSTOP)
            load.progress(5)
        two.run("stop")
    finally:
        relay.remove()
    end = settle()
    load.finish()
    return {
        **load.result(),
        **end,
        "cut": cut,
        "silent": silent,
        "both_alone": watch.both_alone,
        "samples": watch.samples,
    }


def _outage(relay: Relay, load: Load, number: int) -> dict[str, Any]:
    began_s = time.monotonic()
    relay.signal(number)
    decided = wait_until("one engine goes on", _one_alone, WATCH_S)
    decided_s = time.monotonic() - began_s
    load.progress(10)
    time.sleep(1)  # it must stay so
    stayed = _one_alone() == decided
    if number == signal.SIGKILL:
        relay.start()
    else:
        relay.signal(signal.SIGCONT)
    wait_until("the other one is back", redundant)
    return {
        "winner": decided,
        "stayed": stayed,
        "decided_s": round(decided_s, 3),
        "back_s": round(time.monotonic() - began_s - decided_s, 3),
    }


def _one_alone() -> str:
    """Return which engine serves alone while the other one does not, "" if it is not so."""
    reports = [engine.status() for engine in ENGINES]
    ready = [report["ready"] for report in reports]
    if sum(ready) != 1:
        return ""
    number = ready.index(True) + 1
    units = reports[number - 1]["units"].values()
    return f"engine{number}" if all(unit["members"] == [number] for unit in units) else ""
