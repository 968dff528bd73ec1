"""One fault from its intent to its proven healing, always journalled."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fault_injectors.base import Fault, Proof, wait_for_proof
from fault_injectors.journal import HEAL_TIMEOUT_S, Journal
from fault_injectors.shell import FaultError, Shell

PROOF_TIMEOUT_S = 5.0
HEALED_INTERVAL_S = 0.2
"""Asking an engine starts a process; more often would disturb what is being measured."""


@dataclass(slots=True, kw_only=True)
class Injection:
    """A fault, where it acts, and how far it has come. Stamps are CLOCK_MONOTONIC ns, -1 before.

    `inject` and `mend` each stamp before and after acting: the effect lies in between.
    """

    fault: Fault
    shell: Shell
    journal: Journal
    clock: Callable[[], int] = time.monotonic_ns
    inject_from_ns: int = -1
    inject_to_ns: int = -1
    mend_from_ns: int = -1
    mend_to_ns: int = -1
    _key: str = field(default="", init=False)

    @classmethod
    def prepared(cls, fault: Fault, shell: Shell, journal: Journal) -> "Injection":
        """Look up all that the fault needs, before time matters; change nothing."""
        return cls(fault=fault.prepare(shell), shell=shell, journal=journal)

    @property
    def outstanding(self) -> bool:
        """Intended, and not yet seen healed."""
        return self._key != ""

    def inject(self) -> None:
        """Write the intent to the journal, apply the fault, note that it was applied."""
        if self.outstanding:
            raise FaultError(f"{self.fault.kind} on {self.fault.subject}: already injected")
        self._key = self.journal.intend(self.fault, reach=self.shell.reach)
        self.inject_from_ns = self.clock()
        self.fault.apply(self.shell)
        self.inject_to_ns = self.clock()
        self.journal.applied(self._key)

    def prove(self, *, timeout_s: float = PROOF_TIMEOUT_S) -> Proof:
        """Look for the fault until it is seen or *timeout_s* has passed; return the last proof."""
        return wait_for_proof(lambda: self.fault.probe(self.shell), timeout_s=timeout_s)

    def mend(self) -> None:
        """Undo the fault; does not wait for health."""
        self.mend_from_ns = self.clock()
        self.fault.heal(self.shell)
        self.mend_to_ns = self.clock()

    def prove_mended(self, *, timeout_s: float = HEAL_TIMEOUT_S) -> Proof:
        """Wait until the thing is seen whole; then the journal is done with it."""
        proof = wait_for_proof(
            lambda: self.fault.healed(self.shell),
            timeout_s=timeout_s,
            interval_s=HEALED_INTERVAL_S,
        )
        if proof.effective and self.outstanding:
            self.journal.healed(self._key)
            self._key = ""
        return proof

    def undo(self, *, timeout_s: float = HEAL_TIMEOUT_S) -> None:
        """Whatever happened, mend and wait for health; return at once if nothing is outstanding.

        Raises FaultError, and leaves the journal entry, if the thing is not seen whole.
        """
        if not self.outstanding:
            return
        self.fault.heal(self.shell)
        proof = self.prove_mended(timeout_s=timeout_s)
        if not proof.effective:
            raise FaultError(
                f"{self.fault.kind} on {self.fault.subject} is not healed: {proof.seen}"
            )


@contextmanager
def injected(
    fault: Fault, shell: Shell, journal: Journal, *, timeout_s: float = HEAL_TIMEOUT_S
) -> Iterator[Injection]:
    """Prepare and inject *fault*; on leaving, undo whatever is still outstanding."""
    injection = Injection.prepared(fault, shell, journal)
    try:
        injection.inject()
        yield injection
    finally:
        injection.undo(timeout_s=timeout_s)
