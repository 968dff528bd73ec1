"""Several I_T nexuses of one logical unit, and what a test that has it alone leaves behind."""

from typing import NamedTuple

from certify import cdb, reserve
from certify.cdb import Opcode
from certify.conformance.examiner import DATA_IN_BYTES, Examiner
from certify.inquiry import DecodeError, decode_target_port_groups
from certify.reserve import OutAction
from certify.scsi import Completion, Status

TIDY_KEY = 0x7469647900000001
_SETTABLE = (0x0, 0x1, 0x2)
"""Active/optimized, active/non-optimized and standby: what tests of access states set."""


class Nexuses(NamedTuple):
    """The nexus under test and all others of the unit."""

    mine: Examiner
    others: tuple[Examiner, ...]

    @property
    def all(self) -> tuple[Examiner, ...]:
        """Every nexus."""
        return (self.mine, *self.others)


class NexusPair(NamedTuple):
    """Two nexuses in their roles, and the rest."""

    one: Examiner
    other: Examiner
    rest: tuple[Examiner, ...]

    @property
    def all(self) -> tuple[Examiner, ...]:
        """Every nexus."""
        return (self.one, self.other, *self.rest)


def tidy(nexuses: list[Examiner]) -> None:
    """Clear registrations and reservations of everybody, and read away all unit attentions."""
    first = nexuses[0]
    for nexus in nexuses:
        nexus.settle()
        nexus.send(bytes((Opcode.RELEASE_6, 0, 0, 0, 0, 0)))
    if _registered(first):
        out(first, OutAction.REGISTER_AND_IGNORE, action_key=TIDY_KEY)
        out(first, OutAction.CLEAR, key=TIDY_KEY)
    for nexus in nexuses:
        nexus.settle()


def _registered(nexus: Examiner) -> bool:
    command = reserve.reserve_in(reserve.InAction.READ_KEYS, DATA_IN_BYTES)
    got = nexus.send(command, data_in_length=DATA_IN_BYTES)
    if got.status == Status.RESERVATION_CONFLICT:
        return True
    try:
        return got.is_good and bool(reserve.decode_keys(got.data))
    except DecodeError:
        return True


def out(
    nexus: Examiner,
    action: OutAction,
    kind: int = 0,
    *,
    key: int = 0,
    action_key: int = 0,
    flags: int = 0,
) -> Completion:
    """Send PERSISTENT RESERVE OUT and record nothing."""
    return nexus.send(
        reserve.reserve_out(action, kind), data_out=reserve.out_list(key, action_key, flags=flags)
    )


def register(nexus: Examiner, key: int) -> None:
    """Register a nexus under *key*, whatever it had; raise ScsiError if that is not GOOD."""
    out(nexus, OutAction.REGISTER_AND_IGNORE, action_key=key).raise_for_status()


def access_states(nexus: Examiner) -> dict[int, int]:
    """Return the asymmetric access state of every target port group; raise ScsiError."""
    command = cdb.report_target_port_groups(DATA_IN_BYTES)
    got = nexus.send(command, data_in_length=DATA_IN_BYTES).raise_for_status()
    groups = decode_target_port_groups(got.data)
    return {one.group: one.asymmetric_access_state for one in groups}


def groups_list(states: dict[int, int]) -> bytes:
    """Return the parameter list of SET TARGET PORT GROUPS (SPC-4 6.37)."""
    entries = [bytes((state, 0)) + group.to_bytes(2) for group, state in states.items()]
    return bytes(4) + b"".join(entries)


def set_access_states(nexus: Examiner, states: dict[int, int]) -> Completion:
    """Send SET TARGET PORT GROUPS and record nothing."""
    parameters = groups_list(states)
    return nexus.send(cdb.set_target_port_groups(len(parameters)), data_out=parameters)


def settable(states: dict[int, int]) -> bool:
    """Tell whether all states are such as a host may have set."""
    return all(state in _SETTABLE for state in states.values())
