"""The words of what the engines agree on for the hosts' sake: reservations, access states. Pure.

An I_T nexus is a host and the engine that it speaks to. Only the logical unit as a whole can be
reserved: other scopes are obsolete (SPC-4 6.15.3.2).
"""

from enum import IntEnum
from typing import NamedTuple

import msgspec

from reference_router.scsi import Response

LOGICAL_UNIT_RESET = b"\xff"
"""Stands for the CDB in a request that is a task management function; FFh is no command here."""


class Nexus(NamedTuple):
    """An I_T nexus: a host through an engine's port."""

    host: str
    engine: int


class AccessState(IntEnum):
    """Asymmetric access states (SPC-4 6.27, table 244). The higher, the less is served."""

    ACTIVE_OPTIMIZED = 0x0
    ACTIVE_NON_OPTIMIZED = 0x1
    STANDBY = 0x2
    UNAVAILABLE = 0x3


class ReservationType(IntEnum):
    """Types of persistent reservations (SPC-4 6.15.3.4)."""

    WRITE_EXCLUSIVE = 0x1
    EXCLUSIVE_ACCESS = 0x3
    WRITE_EXCLUSIVE_REGISTRANTS_ONLY = 0x5
    EXCLUSIVE_ACCESS_REGISTRANTS_ONLY = 0x6
    WRITE_EXCLUSIVE_ALL_REGISTRANTS = 0x7
    EXCLUSIVE_ACCESS_ALL_REGISTRANTS = 0x8

    @property
    def lets_read(self) -> bool:
        """Tell whether those who have no access may still read."""
        return self in _WRITE_EXCLUSIVE

    @property
    def has_one_holder(self) -> bool:
        """Tell whether one nexus holds it, rather than every registered one."""
        return self < ReservationType.WRITE_EXCLUSIVE_ALL_REGISTRANTS

    @property
    def admits_registrants(self) -> bool:
        """Tell whether every registered nexus has access."""
        return self >= ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY


_WRITE_EXCLUSIVE = (
    ReservationType.WRITE_EXCLUSIVE,
    ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY,
    ReservationType.WRITE_EXCLUSIVE_ALL_REGISTRANTS,
)


class _Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all that goes to the peer or to a file: immutable and strict."""


class ServiceRequest(_Struct, frozen=True, kw_only=True):
    """A command of a host that changes the state: PERSISTENT RESERVE OUT and its like.

    The I_T nexus is (`host`, `engine`).
    """

    host: str
    engine: int
    cdb: bytes
    parameters: bytes = b""


class Attention(_Struct, frozen=True, kw_only=True):
    """A unit attention condition for the I_T nexus (`host`, `engine`) (SAM-5 5.14)."""

    host: str
    engine: int
    asc: int
    ascq: int


class Registration(_Struct, frozen=True, kw_only=True):
    """A reservation key that is registered for an I_T nexus; never 0."""

    nexus: Nexus
    key: int


class Reservation(_Struct, frozen=True, kw_only=True):
    """A persistent reservation. `holder` is None if every registered nexus holds it."""

    kind: ReservationType
    holder: Nexus | None


class Access(_Struct, frozen=True, kw_only=True):
    """The asymmetric access state of an engine's target port group."""

    engine: int
    state: AccessState


class ServiceState(_Struct, frozen=True, kw_only=True):
    """Reservations, registrations and access states of one logical unit; at first there are none.

    `registrations` are sorted by nexus. `generation` is PRgeneration. `aptpl`: the registrations
    outlive a loss of power. `legacy` is the holder of an SPC-2 reservation. `access` names the
    engines whose state was set; the others are active/optimized. `preferred` is the engine whose
    group has the PREF bit.
    """

    registrations: tuple[Registration, ...] = ()
    reservation: Reservation | None = None
    generation: int = 0
    aptpl: bool = False
    legacy: Nexus | None = None
    access: tuple[Access, ...] = ()
    preferred: int | None = None

    @property
    def persistent(self) -> bool:
        """Tell whether there are registrations that outlive a loss of power (APTPL)."""
        return self.aptpl and bool(self.registrations)

    def key_of(self, nexus: Nexus) -> int | None:
        """Return the key that is registered for a nexus, or None."""
        for each in self.registrations:
            if each.nexus == nexus:
                return each.key
        return None

    def holds(self, nexus: Nexus) -> bool:
        """Tell whether a nexus holds the persistent reservation, alone or with others."""
        if self.reservation is None:
            return False
        if self.reservation.holder is not None:
            return self.reservation.holder == nexus
        return self.key_of(nexus) is not None

    def access_of(self, engine: int) -> AccessState:
        """Return the access state of an engine's group, as far as it was agreed."""
        for each in self.access:
            if each.engine == engine:
                return each.state
        return AccessState.ACTIVE_OPTIMIZED


class Change(NamedTuple):
    """What a request comes to. A refused request leaves the state as it was."""

    state: ServiceState
    response: Response
    attentions: tuple[Attention, ...] = ()
