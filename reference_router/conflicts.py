"""Which commands a reservation forbids to whom (SPC-4 5.13.1; SBC-3 4.17; SPC-2 5.5). Pure.

The classes are the rows of the standards' tables that differ; every command of the command table
names its class.
"""

from enum import Enum

from reference_router.service_state import Nexus, ServiceState


class Conflict(Enum):
    """How a command gets on with reservations of others."""

    NEVER = "never"  # always allowed, or decides by itself
    STATUS = "status"  # allowed beside persistent reservations, not beside an SPC-2 one
    READ = "read"  # allowed under the write exclusive types
    WRITE = "write"  # allowed to nobody who has no access
    PERSISTENT = "persistent"  # PERSISTENT RESERVE: never while an SPC-2 reservation is there


def conflicts(state: ServiceState, nexus: Nexus, kind: Conflict) -> bool:
    """Tell whether a command of class `kind` through `nexus` ends in RESERVATION CONFLICT."""
    if kind is Conflict.NEVER:
        return False
    if state.legacy is not None:
        return kind is Conflict.PERSISTENT or state.legacy != nexus
    reservation = state.reservation
    if reservation is None or kind not in (Conflict.READ, Conflict.WRITE):
        return False
    if kind is Conflict.READ and reservation.kind.lets_read:
        return False
    if reservation.kind.admits_registrants:
        return state.key_of(nexus) is None
    return reservation.holder != nexus
