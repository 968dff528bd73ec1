"""The threads of an exercise: started together, told to end, and none fails or hangs unseen."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from certify.lab import LabError
from fault_injectors import FaultError

END_S = 60.0
"""How long a thread may take to end once it is told to; a command of it ends well before."""


@dataclass(slots=True, kw_only=True)
class Background:
    """Threads that look at `ended` now and then; *name* is the exercise's."""

    name: str
    ended: threading.Event = field(init=False, default_factory=threading.Event)
    _failure: str = field(init=False, default="")
    _threads: list[threading.Thread] = field(init=False, default_factory=list)

    @property
    def started(self) -> bool:
        """Tell whether any thread was started."""
        return bool(self._threads)

    def start(self, work: Callable[[], None]) -> None:
        """Do *work* in a thread; what it raises of LabError, FaultError, OSError is kept."""
        thread = threading.Thread(target=self._guard, args=(work,), name=self.name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Tell all to end and wait for them; raise LabError for what failed or has not ended."""
        self.ended.set()
        for thread in self._threads:
            thread.join(END_S)
        late = any(thread.is_alive() for thread in self._threads)
        if self._failure or late:
            why = self._failure or f"no end within {END_S:g} s"
            raise LabError(f"exercise {self.name}: {why}")

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (LabError, FaultError, OSError) as error:
            self._failure = str(error)
