"""Pauses of known length, made in the path, in an array and in the measuring process itself.

The real load runs on the real device, and the judge's own figures are compared with what is known.
The pause in the path is made in a device-mapper device that is put over the application's device
for this purpose; the one in the array beneath a leg of a virtual lab.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from certify.calibration import Place, Point, judge_point
from certify.deadline import Deadline
from certify.devices import LabDevices, resolve
from certify.dm_pause import Pause, hold, linear_over
from certify.heartbeat import Heartbeat, beat_s_of
from certify.history import Window
from certify.lab import Lab, LabError
from certify.load import Load, load_unit, rates_of
from certify.quiet import quiet_interpreter
from certify.standstill import of_spans
from certify.verdict import EXTRA_REPEATS_MAX
from reports.record import EventKind, IoRecord, Verdict

DEVICE = "zerostall-calibration"
WARM_UP_S = 1.0
SETTLE_S = 2.5
"""After a pause; after one of the measurer as long again as it was: its backlog is worked off."""
DRAIN_S = 60.0
_STOPPER = """
import os, signal, sys, time
process, seconds = int(sys.argv[1]), float(sys.argv[2])
stamps = [time.monotonic_ns()]
os.kill(process, signal.SIGSTOP)
stamps.append(time.monotonic_ns())
try:
    time.sleep(seconds)
finally:
    stamps.append(time.monotonic_ns())
    os.kill(process, signal.SIGCONT)
stamps.append(time.monotonic_ns())
print(*stamps)
"""

Narrate = Callable[[str], None]


@dataclass(slots=True)
class _Seen:
    """What was recorded; the lists are appended to from the threads of the probes."""

    ios: list[IoRecord] = field(default_factory=list)
    stood: list[Window] = field(default_factory=list)

    def event(
        self, kind: EventKind, _subject: str, _detail: str, data: dict[str, Any], t_ns: int
    ) -> None:
        if kind is EventKind.STANDSTILL:
            self.stood.append(Window(start_ns=int(data["from_ns"]), end_ns=t_ns))


def calibrate(
    lab: Lab, places: Sequence[Place], pauses_s: Sequence[float], *, seed: int, narrate: Narrate
) -> Iterator[Point]:
    """Make every pause at every place and yield what was measured of it.

    Writes to the load's logical unit. Raises LabError when the lab is not what its file says.
    """
    devices = resolve(lab)
    unit = devices.map_of(load_unit(lab))
    with linear_over(unit.device, unit.size_bytes, DEVICE):
        maps = tuple(
            replace(one, name=DEVICE) if one.unit.name == unit.unit.name else one
            for one in devices.maps
        )
        over = replace(devices, maps=maps)
        for number, place in enumerate(places, start=1):
            yield from _points(lab, over, place, pauses_s, seed=seed + number, narrate=narrate)


def _points(
    lab: Lab,
    devices: LabDevices,
    place: Place,
    pauses_s: Sequence[float],
    *,
    seed: int,
    narrate: Narrate,
) -> list[Point]:
    """Make the pauses of one place under one load."""
    with _loaded(lab, devices, seed) as seen:
        time.sleep(WARM_UP_S)
        return [_point(lab, place, seconds, seen, narrate) for seconds in pauses_s]


def _point(lab: Lab, place: Place, seconds: float, seen: _Seen, narrate: Narrate) -> Point:
    """Make one pause; make it again if the host's noise kept it from being judged."""
    interval_ms = _interval_ms(lab, place)
    for left in reversed(range(1 + EXTRA_REPEATS_MAX)):
        narrate(f"{place}: {seconds:g} s")
        pause = _pause(lab, place, seconds)
        backlog_s = seconds if place is Place.MEASURER else min(seconds, SETTLE_S)
        time.sleep(SETTLE_S + backlog_s)
        ios, stood = list(seen.ios), of_spans(list(seen.stood))
        point = judge_point(place, pause, ios, stood, interval_ms=interval_ms)
        if point.verdict is not Verdict.INCONCLUSIVE or not left:
            break
        narrate(f"  made again: {point.told}")
    return point


@contextmanager
def _loaded(lab: Lab, devices: LabDevices, seed: int) -> Iterator[_Seen]:
    """Run the load and the heartbeat; give what they record, complete when it is over."""
    seen = _Seen()
    load = Load(
        lab=lab,
        devices=devices,
        run_id="calibration",
        seed=seed,
        ordinal=seed,
        emit=seen.ios.append,
        tell=seen.event,
    )
    heartbeat = Heartbeat(beat_s=beat_s_of(lab))
    with quiet_interpreter():
        try:
            load.start()
            heartbeat.start(seen.event)
            yield seen
        finally:
            heartbeat.stop()
            failure = load.failure()
            never = load.stop(timeout_s=DRAIN_S)
    if failure:
        raise LabError(f"a probe died: {failure}")
    if never:
        raise LabError(f"{never} I/Os never ended within {DRAIN_S:g} s after the last pause")


def _pause(lab: Lab, place: Place, seconds: float) -> Pause:
    if place is Place.PATH:
        return hold(DEVICE, seconds)
    if place is Place.ARRAY:
        return hold(slow_device(lab), seconds)
    return _stop_myself(seconds)


def slow_device(lab: Lab) -> str:
    """Return the device-mapper name beneath a leg of the load's unit that may be held.

    Raises LabError when the lab has none, or is no virtual one: on real gear others may use it.
    """
    unit = load_unit(lab)
    for array in lab.array if lab.lab.kind == "virtual" else ():
        for leg in array.leg:
            if leg.logical_unit == unit and leg.slow_device and leg.inspect_wwid:
                return leg.slow_device
    raise LabError("a pause in an array needs a virtual lab whose legs have a slow_device")


def _stop_myself(seconds: float) -> Pause:
    """Let another process stop this one by SIGSTOP and go on by SIGCONT."""
    argv = [sys.executable, "-S", "-E", "-c", _STOPPER, str(os.getpid()), str(seconds)]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=seconds + DRAIN_S, check=True
    )
    first, second, third, fourth = (int(word) for word in done.stdout.split())
    return Pause(begin_ns=(first, second), end_ns=(third, fourth))


def _interval_ms(lab: Lab, place: Place) -> float:
    rates = rates_of(lab)
    if place is Place.PATH:
        return max(rates.read_ms, rates.write_ms)
    if place is Place.ARRAY:
        return rates.array_ms
    return 1e3 * beat_s_of(lab)


def wait_whole(look: Callable[[], list[str]], seconds: float) -> list[str]:
    """Wait until *look* finds nothing; return what it found last when *seconds* have passed."""
    deadline = Deadline.after(seconds)
    while (problems := look()) and not deadline.passed:
        time.sleep(1.0)
    return problems
