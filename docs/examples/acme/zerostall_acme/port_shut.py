"""The fault: an Ethernet port of a host is shut, as by an operator in the wrong window."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from fault_injectors import FaultError, Proof, Shell
from fault_injectors.params import check_params, to_params

IFF_UP = 1  # netdevice(7): the port is administratively up
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PortShut:
    """The port `interface` is down. Its fields are all that healing needs, after a crash too."""

    kind: ClassVar[str] = "port_shut"  # the name of the entry point
    label: ClassVar[str] = "Port shut"
    colour: ClassVar[str] = "#7A4EAB"

    subject: str
    interface: str

    def prepare(self, shell: Shell) -> Self:
        """Refuse a port that is not there or is down already; change nothing."""
        if not shell.exists(self._flags_file):
            raise FaultError(f"{self.subject}: there is no interface {self.interface}")
        if not self._is_up(shell):
            raise FaultError(f"{self.subject}: {self.interface} is down before the fault")
        return self

    def apply(self, shell: Shell) -> None:
        """Shut it: one short command."""
        self._set(shell, "down")

    def probe(self, shell: Shell) -> Proof:
        """Look at the kernel's flags; that the command returned proves nothing."""
        return Proof(effective=not self._is_up(shell), seen=self._seen(shell))

    def heal(self, shell: Shell) -> None:
        """Open it; harmless if it is open."""
        self._set(shell, "up")

    def healed(self, shell: Shell) -> Proof:
        """Look that it is open."""
        return Proof(effective=self._is_up(shell), seen=self._seen(shell))

    def to_params(self) -> dict[str, Any]:
        """Return the fields for the journal."""
        return to_params(self)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Self:
        """Make the fault again from the journal."""
        return cls(**check_params(cls, params))

    @property
    def _flags_file(self) -> str:
        return f"/sys/class/net/{self.interface}/flags"

    def _is_up(self, shell: Shell) -> bool:
        return bool(int(shell.read_text(self._flags_file), 16) & IFF_UP)

    def _seen(self, shell: Shell) -> str:
        return f"{self.interface} has flags {shell.read_text(self._flags_file).strip()}"

    def _set(self, shell: Shell, state: str) -> None:
        shell.run(("ip", "link", "set", "dev", self.interface, state), timeout_s=TIMEOUT_S)
