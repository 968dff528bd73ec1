"""The link is cut while both engines live."""

import signal
import threading
import time
from typing import Any

from certify.virtual_lab.guest import host
from tests.lab.in_guest.engine_cases import WORKERS
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.registers import Load
from tests.lab.in_guest.relay import Relay
from tests.lab.in_guest.router import ENGINES, UNITS, redundant, wait_until

WATCH_S = 4.0


class Watch:
    """Looks at both engines all the time: no unit may be served by both, each alone."""

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
            alone = _alone()
            self.samples += 1
            self.both_alone += any(len(engines) > 1 for engines in alone.values())
            time.sleep(0.03)


class Standstill:
    """Notices when the guest itself stands still, which no I/O can be blamed for."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        threading.Thread(target=self._run, daemon=True).start()

    def take_longest_s(self) -> float:
        """Return the longest since this was last asked."""
        longest_s, self.longest_s = self.longest_s, 0.0
        return round(longest_s, 3)

    def _run(self) -> None:
        last_s = time.monotonic()
        while True:
            time.sleep(0.01)
            now_s = time.monotonic()
            self.longest_s = max(self.longest_s, now_s - last_s)
            last_s = now_s


def link_cut() -> dict[str, Any]:
    """The cable is pulled (both see the end), put back, then swallows everything for a while."""
    relay = Relay()
    standstill = Standstill()
    _, two = ENGINES
    two.run("stop")
    relay.install()
    try:
        two.start()
        wait_until("redundant through the relay", redundant)
        with Load(WORKERS, by_map=True) as load, Watch() as watch:
            load.progress(5)
            cut = _outage(relay, load, standstill, signal.SIGKILL)
            silent = _outage(relay, load, standstill, signal.SIGSTOP)
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


def _outage(relay: Relay, load: Load, standstill: Standstill, number: int) -> dict[str, Any]:
    host.wait_for_maps()  # else the host may have no path but the loser's
    marks = [engine.log_end for engine in ENGINES]
    load.take_slowest_s()
    standstill.take_longest_s()
    began_s = time.monotonic()
    relay.signal(number)
    decided = wait_until("one engine goes on with each unit", _one_alone, WATCH_S)
    decided_s = time.monotonic() - began_s
    load.progress(10)
    time.sleep(1)  # it must stay so
    stayed = _one_alone() == decided
    slowest_s, stood_s = load.take_slowest_s(), standstill.take_longest_s()
    if number == signal.SIGKILL:
        relay.start()
    else:
        relay.signal(signal.SIGCONT)
    wait_until("the other one is back", redundant)
    return {
        "winner": decided,
        "stayed": stayed,
        "decided_s": round(decided_s, 3),
        "slowest_s": slowest_s,
        "stood_s": stood_s,
        "back_s": round(time.monotonic() - began_s - decided_s, 3),
        "back_slowest_s": load.take_slowest_s(),
        "back_stood_s": standstill.take_longest_s(),
        "log": "".join(each.log_from(mark) for each, mark in zip(ENGINES, marks, strict=True)),
    }


def _one_alone() -> dict[str, list[str]]:
    """Return who serves each unit alone while the other one does not, nothing if it is not so.

    Each unit is decided for itself, so they need not be with the same engine.
    """
    serving = {
        unit: [engine.name for engine in ENGINES if engine.unit(unit).get("serves")]
        for unit in UNITS
    }
    alone = _alone()
    decided = all(len(engines) == 1 for engines in serving.values()) and serving == alone
    return alone if decided else {}


def _alone() -> dict[str, list[str]]:
    """Return by unit the engines that serve it and know of no other member."""
    reports = [engine.status().get("units", {}) for engine in ENGINES]
    return {
        unit: [
            engine.name
            for number, (engine, units) in enumerate(zip(ENGINES, reports, strict=True), start=1)
            if unit in units and units[unit]["serves"] and units[unit]["members"] == [number]
        ]
        for unit in UNITS
    }
