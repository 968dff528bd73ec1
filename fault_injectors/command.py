"""Faults that the lab file has commands for: to break, to mend, and to look.

What only the system under test or its switches can do (leave as planned, cut a link, take a
logical unit away) has no means that is the same everywhere; its commands have.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from fault_injectors.base import Proof
from fault_injectors.params import check_params, to_params
from fault_injectors.shell import FaultError, Shell

YES, NO = 0, 1
"""Exit statuses of a command that looks; any other is an error of its own, as of grep(1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFault:
    """Something that one command breaks and another mends.

    `probe_argv` exits 0 while it is broken and 1 while it is not. `healed_argv` exits 0 once it is
    whole and 1 before; where there is none, whole is what is not broken.
    """

    kind: ClassVar[str] = "command"
    label: ClassVar[str] = "Command of the lab"
    colour: ClassVar[str] = "#666666"

    subject: str
    apply_argv: tuple[str, ...]
    probe_argv: tuple[str, ...]
    heal_argv: tuple[str, ...]
    healed_argv: tuple[str, ...] = ()
    timeout_s: float = 30.0

    def prepare(self, shell: Shell) -> Self:
        """See Fault.prepare; refuses what is broken already, and what it cannot look at."""
        if not (self.apply_argv and self.probe_argv and self.heal_argv):
            raise FaultError(f"{self.subject}: expected commands to break, to look and to mend")
        if self._says(shell, self.probe_argv):
            raise FaultError(f"{self.subject}: broken before the fault: {self._seen(True)}")
        return replace(self)

    def apply(self, shell: Shell) -> None:
        """See Fault.apply; takes as long as the command does."""
        shell.run(self.apply_argv, timeout_s=self.timeout_s)

    def probe(self, shell: Shell) -> Proof:
        """See Fault.probe: the command that looks says so."""
        broken = self._says(shell, self.probe_argv)
        return Proof(effective=broken, seen=self._seen(broken))

    def heal(self, shell: Shell) -> None:
        """See Fault.heal; does nothing where the thing is whole, for all that can be seen."""
        try:
            whole = self.healed(shell).effective
        except FaultError:
            whole = False
        if not whole:
            shell.run(self.heal_argv, timeout_s=self.timeout_s)

    def healed(self, shell: Shell) -> Proof:
        """See Fault.healed: no longer broken, and whole where there is a command for that."""
        broken = self._says(shell, self.probe_argv)
        if broken or not self.healed_argv:
            return Proof(effective=not broken, seen=self._seen(broken))
        whole = self._says(shell, self.healed_argv)
        word = "says yes" if whole else "says no"
        return Proof(effective=whole, seen=f"{' '.join(self.healed_argv)}: {word}")

    def to_params(self) -> dict[str, Any]:
        """See Fault.to_params."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """See Fault.from_params."""
        return cls(**check_params(cls, params))

    def _says(self, shell: Shell, argv: tuple[str, ...]) -> bool:
        """Run a command that looks; raise FaultError when it says neither yes nor no."""
        asked = shell.run(argv, timeout_s=self.timeout_s, check=False)
        if asked.exit_status not in (YES, NO):
            raise FaultError(
                f"{self.subject}: expected exit status 0 for yes or 1 for no: {asked.failure()}"
            )
        return asked.exit_status == YES

    def _seen(self, broken: bool) -> str:
        return f"{' '.join(self.probe_argv)}: says {'yes' if broken else 'no'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLeave(CommandFault):
    """An engine leaves as planned, for maintenance, and rejoins."""

    kind: ClassVar[str] = "engine_leave"
    label: ClassVar[str] = "Engine leaves as planned"
    colour: ClassVar[str] = "#8DA0CB"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayCut(CommandFault):
    """An array is gone for every engine: a switch has closed the way to it."""

    kind: ClassVar[str] = "array_cut"
    label: ClassVar[str] = "Array cut off"
    colour: ClassVar[str] = "#E6AB02"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCut(CommandFault):
    """The link between the engines is cut; both live on."""

    kind: ClassVar[str] = "link_cut"
    label: ClassVar[str] = "Engine link cut"
    colour: ClassVar[str] = "#E78AC3"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitUnmap(CommandFault):
    """A logical unit is taken away from its hosts at the target, and given back."""

    kind: ClassVar[str] = "unit_unmap"
    label: ClassVar[str] = "Logical unit unmapped"
    colour: ClassVar[str] = "#A6D854"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayBusy(CommandFault):
    """An array answers BUSY or TASK SET FULL to everything, by a command of its own."""

    kind: ClassVar[str] = "array_busy"
    label: ClassVar[str] = "Array busy"
    colour: ClassVar[str] = "#FFD92F"
