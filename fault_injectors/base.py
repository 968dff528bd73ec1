"""What a fault is: a value with six verbs and two proofs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from fault_injectors.shell import FaultError, Shell

__all__ = ["Fault", "FaultError", "Proof", "wait_for_proof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was seen when looking for a fault, or for its absence; `seen` is for a human."""

    effective: bool
    seen: str


class Fault(Protocol):
    """One way to break one thing of a lab, and to mend it again.

    Implementations are frozen dataclasses whose fields are strings, numbers and tuples of them:
    what the journal stores is all that `heal` needs, in another process, after a crash.
    """

    kind: ClassVar[str]
    """Name in journals, plans and run folders: "path_pull"."""
    label: ClassVar[str]
    """Name in reports: "Path pull"."""
    colour: ClassVar[str]
    """Of its band in charts, "#rrggbb"."""

    @property
    def subject(self) -> str:
        """The thing that is broken, by its name in the lab file."""
        ...

    def prepare(self, shell: Shell) -> Self:
        """Return a copy that knows all that `apply` and `heal` need; change nothing.

        Raises FaultError when the fault cannot be applied here.
        """
        ...

    def apply(self, shell: Shell) -> None:
        """Break it, within milliseconds where the means allow; raise FaultError if it will not."""
        ...

    def probe(self, shell: Shell) -> Proof:
        """Look whether the fault is there; never infer it from `apply` having returned."""
        ...

    def heal(self, shell: Shell) -> None:
        """Undo it, without waiting for health. Idempotent; harmless if never applied."""
        ...

    def healed(self, shell: Shell) -> Proof:
        """Look whether the thing is whole again; poll it by `wait_for_proof` after `heal`."""
        ...

    def to_params(self) -> dict[str, Any]:
        """Return the fields as JSON values, for the journal."""
        ...

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """Make the fault from `to_params`; raise FaultError naming a wrong or missing field."""
        ...


def wait_for_proof(
    prove: Callable[[], Proof],
    *,
    timeout_s: float,
    interval_s: float = 0.05,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Proof:
    """Call *prove* until it is effective or *timeout_s* has passed; return the last proof.

    Calls it at least once. A FaultError on the way counts as "not effective" with its text.
    """
    deadline = clock() + timeout_s
    while True:
        try:
            proof = prove()
        except FaultError as error:
            proof = Proof(effective=False, seen=str(error))
        if proof.effective or clock() >= deadline:
            return proof
        sleep(interval_s)
