"""S3: a LOGICAL UNIT RESET while an engine is lost; every other nexus learns of it, once."""

import time
from dataclasses import dataclass, field

from certify import cdb, sg
from certify.exercise import ExerciseKind, Stage
from certify.exercises.in_fault import InFault
from certify.exercises.nexus import ATTENTIONS_MAX, Nexus, lacks_hosts, nexus
from certify.scsi import Completion, SenseKey

NAME = "logical unit reset"
AFTER_S = 1.0
TOLD_MS = 1500.0
"""How long the other nexus asks, so that one that is told twice or late is seen."""
POLL_S = 0.02
RESET_ASC = 0x29
"""POWER ON, RESET, OR BUS DEVICE RESET OCCURRED and its kinds, SPC-6 table E.2."""


@dataclass(slots=True, kw_only=True)
class ResetDuringFailover:
    """Host 1 resets the unit by engine 2, while engine 1 is dead; host 2 is told by engine 2.

    Host 2 and not host 1 is asked, since multipath polls the paths of host 1: the unit attention
    would be told to it.
    """

    stage: Stage
    _in_fault: InFault = field(init=False)

    def __post_init__(self) -> None:
        self._in_fault = InFault(
            name=NAME, stage=self.stage, after_s=AFTER_S, act=lambda _stage: self._reset()
        )

    def start(self) -> None:
        """See Exercise.start: nothing may be pending from before."""
        for host in (0, 1):
            for engine in (0, 1):
                _attentions(self._of(host, engine))
        self._in_fault.start()

    def stop(self) -> None:
        """See Exercise.stop: a returned engine has its own unit attentions, and then serves."""
        self._in_fault.stop()
        _, last = _attentions(self._of(0, 0))
        self._report("the returned engine serves", "GOOD in the end", str(last), last.is_good)

    def _reset(self) -> None:
        told = self._of(1, 1)
        with sg.opened(self._of(0, 1).path.disk.sg_device, nonblocking=True) as descriptor:
            sg.reset_unit(descriptor)
        began_ns = time.monotonic_ns()
        resets: list[Completion] = []
        first_ms = 0.0
        while (passed_ms := (time.monotonic_ns() - began_ns) / 1e6) < TOLD_MS:
            seen, last = _attentions(told)
            news = [one for one in seen if one.sense is not None and one.sense.asc == RESET_ASC]
            first_ms = first_ms if resets else passed_ms
            resets += news
            time.sleep(POLL_S)
        observed = ", ".join(str(one) for one in resets) or "no unit attention"
        if resets:
            observed += f" after {first_ms:.0f} ms"
        expected = f"one unit attention 29h for {told.name}, then GOOD"
        good = len(resets) == 1 and last.is_good
        self._report("told once to another nexus", expected, f"{observed}, then {last}", good)

    def _report(self, what: str, expected: str, observed: str, good: bool) -> None:
        self.stage.report(f"{NAME}: {what}", expected=expected, observed=observed, good=good)

    def _of(self, host: int, engine: int) -> Nexus:
        return nexus(self.stage, host, engine)


def _attentions(who: Nexus) -> tuple[list[Completion], Completion]:
    """Send TEST UNIT READY until no unit attention is pending; return those, and the last end."""
    seen: list[Completion] = []
    while True:
        ended = who.once(cdb.test_unit_ready())
        pending = ended.sense is not None and ended.sense.key == SenseKey.UNIT_ATTENTION
        if not pending or len(seen) == ATTENTIONS_MAX:
            return seen, ended
        seen.append(ended)


UNIT_RESET = ExerciseKind(
    name=NAME,
    make=lambda stage: ResetDuringFailover(stage=stage),
    lacks=lambda lab: lacks_hosts(lab, 2),
)
