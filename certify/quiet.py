"""Keep the pauses of the measuring process itself out of what is measured."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

NICE = -10


@contextmanager
def quiet_interpreter() -> Iterator[None]:
    """Keep Python's own pauses out of what is measured: no garbage collection.

    Where it is allowed, this process is also preferred over others for the CPU. The interpreter's
    switch interval stays as it is: each thread that waits for the interpreter wakes up once an
    interval to ask for it, and at 0.5 ms a dozen of them used up the one processor of a small
    guest by asking alone, seconds on end (docs/measuring.md).
    """
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    gc.collect()
    gc.freeze()
    gc.disable()
    _renice(NICE)
    try:
        yield
    finally:
        _renice(nice)
        gc.enable()
        gc.unfreeze()


def _renice(value: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, value)
    except PermissionError:
        return  # measured all the same; the control probe tells what it costs
