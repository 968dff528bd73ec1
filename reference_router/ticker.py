"""A descriptor that becomes readable at a steady pace: `timerfd_create(2)` by libc. Shell.

A loop that polls it knows that time has passed without asking the clock in every round. A system
call costs 12 us in User Mode Linux, and there the clock is one. (The os module has timer
descriptors from Python 3.13 on.)
"""

import ctypes
import os
import time

_TFD_NONBLOCK, _TFD_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_NS_PER_S = 1_000_000_000


class Ticker:
    """Ticks every `interval_ns` from now on. Late ticks are not made up for."""

    def __init__(self, interval_ns: int) -> None:
        """Start. Raises OSError if the kernel refuses."""
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        pace = divmod(interval_ns, _NS_PER_S)
        spec = (ctypes.c_long * 4)(*pace, *pace)  # struct itimerspec: interval, first
        if libc.timerfd_settime(self.fd, 0, spec, None):
            os.close(self.fd)
            raise OSError(ctypes.get_errno(), f"timerfd_settime of {interval_ns} ns failed")

    def rest(self) -> None:
        """Take the ticks that have come, so that the descriptor is not readable until the next."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Stop."""
        os.close(self.fd)
