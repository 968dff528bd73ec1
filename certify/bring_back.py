"""After a scenario that left the lab less than whole: start the engines that do not serve.

The scenario has been judged by what it left; this is for the ones that follow. What does not come
back by the lab file's own commands stays broken, and nothing more is run.
"""

from collections.abc import Callable

from certify.deadline import Clock, Deadline
from certify.health import engine_problems
from certify.lab import Lab
from fault_injectors import FaultError, Shell

WAIT_S = 60.0
LOOK_S = 1.0


def bring_back(
    lab: Lab,
    problems: Callable[[], list[str]],
    *,
    shells: Callable[[str], Shell],
    clock: Clock,
    sleep: Callable[[float], None],
) -> tuple[list[str], list[str]]:
    """Start every engine that is not ready; return whom, and what is not whole afterwards.

    *problems* looks at the whole lab. Waits at most a minute.
    """
    started = []
    for engine in lab.engine:
        if engine.start is None or not engine_problems(engine, shells):
            continue
        try:
            shells(engine.reach).run(engine.start.argv, timeout_s=engine.start.timeout_s)
        except FaultError:
            continue  # what it is not ready for, `problems` says
        started.append(engine.name)
    deadline = Deadline.after(WAIT_S if started else 0.0, clock)
    while (left := problems()) and not deadline.passed:
        sleep(LOOK_S)
    return started, left
