"""Unit attentions: every other I_T nexus is told, once, and nobody else's is taken.

multipathd asks paths of its own whether they are ready and may be told first, so those are looked
at only through a second host, which has no multipath.
"""

import time

import pytest

from certify import cdb
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import GOOD, Expectation, unit_attention
from certify.conformance.nexus import (
    Nexuses,
    NexusPair,
    access_states,
    out,
    register,
    set_access_states,
    settable,
)
from certify.conformance.offers import offers
from certify.reserve import Kind, OutAction
from certify.scsi import SenseKey, decode_sense

FAMILY = "Unit attentions"
CLAUSE = "SAM-5 5.14 Unit attention conditions"
RESET = unit_attention((0x29, 0x00), (0x29, 0x02), (0x29, 0x03))
PREEMPTED = unit_attention((0x2A, 0x05))
CLEARED = unit_attention((0x2A, 0x03))
RELEASED = unit_attention((0x2A, 0x04))
STATE_CHANGED = unit_attention((0x2A, 0x06))
NO_WITNESS = "the lab has one host, and multipathd may be told a unit attention before the suite"
KEY_1, KEY_2 = 0xA1, 0xA2
SOON_S = 1.0
"""Linux's target core answers LOGICAL UNIT RESET before it tells a handler in user space
(core_tmr_lun_reset, tcmu_tmr_notify).
"""


def test_a_reset_is_told_to_every_other_nexus(nexuses: Nexuses) -> None:
    """LOGICAL UNIT RESET is told once to all others. Method: reset, TEST UNIT READY twice."""
    name = "reset of the logical unit"
    for other in _witnesses(nexuses, name, RESET):
        other.settle()  # the reset for the witness before was told to this one, too
        try:
            nexuses.mine.reset()
        except OSError as error:
            nexuses.mine.not_run(
                name,
                clause=CLAUSE,
                expected=str(RESET),
                reason=f"the path's driver cannot reset a logical unit: {error.strerror}",
            )
            return
        _told_soon(other, f"{name} through {nexuses.mine.path.name}", RESET)


def test_inquiry_does_not_take_it(nexuses: Nexuses) -> None:
    """INQUIRY and REPORT LUNS are done beside it. Method: both, then TEST UNIT READY."""
    name = "a pending unit attention"
    for other in _witnesses(nexuses, name, GOOD):
        if not _pend(nexuses.mine, other):
            continue
        other.expect(
            "INQUIRY beside a unit attention",
            cdb.inquiry(36),
            GOOD,
            clause="SPC-4 INQUIRY command",
            data_in_length=36,
        )
        other.expect(
            "REPORT LUNS beside a unit attention",
            cdb.report_luns(),
            GOOD,
            clause="SPC-4 REPORT LUNS command",
            data_in_length=1024,
        )
        _told_once(other, "after INQUIRY and REPORT LUNS", CLEARED)


def test_request_sense_takes_it(nexuses: Nexuses) -> None:
    """REQUEST SENSE returns it as data and clears it. Method: then TEST UNIT READY."""
    for other in _witnesses(nexuses, "REQUEST SENSE with a unit attention", GOOD):
        if not _pend(nexuses.mine, other):
            continue
        got = other.expect(
            "REQUEST SENSE with a unit attention",
            cdb.request_sense(),
            GOOD,
            clause="SPC-4 REQUEST SENSE command",
            data_in_length=252,
        )
        sense = decode_sense(got.data)
        other.claim(
            "REQUEST SENSE returns the unit attention",
            sense is not None
            and (sense.key, sense.asc, sense.ascq) == (SenseKey.UNIT_ATTENTION, 0x2A, 0x03),
            clause="SPC-4 REQUEST SENSE command",
            expected=f"sense data of {CLEARED}",
            observed=str(sense),
            after=got,
        )
        command = cdb.test_unit_ready()
        other.expect("REQUEST SENSE has cleared it", command, GOOD, clause=CLAUSE)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_preempting_is_told_to_who_is_preempted(nexus_pair: NexusPair, kind: Kind) -> None:
    """A preempted nexus is told once, the preempting one is not. Method: PREEMPT of a holder."""
    name = f"PREEMPT under {kind.title}"
    one, other = nexus_pair.one, nexus_pair.other
    if not _reserved(other, kind):
        return
    register(one, KEY_1)
    out(one, OutAction.PREEMPT, kind, key=KEY_1, action_key=KEY_2).raise_for_status()
    if _can_watch(other, name, PREEMPTED):
        _told_once(other, f"{name} by {one.path.name}", PREEMPTED)
    if not one.path.watched:
        one.expect(f"{name}: not told to itself", cdb.test_unit_ready(), GOOD, clause=CLAUSE)


def test_clearing_is_told_to_who_was_registered(nexus_pair: NexusPair) -> None:
    """CLEAR is told once to the other registered nexuses. Method: and not to its sender."""
    one, other = nexus_pair.one, nexus_pair.other
    if not _reserved(one, Kind.WRITE_EXCLUSIVE):
        return
    register(other, KEY_1)
    out(one, OutAction.CLEAR, key=KEY_2).raise_for_status()
    if _can_watch(other, "CLEAR", CLEARED):
        _told_once(other, f"CLEAR by {one.path.name}", CLEARED)
    if not one.path.watched:
        one.expect("CLEAR: not told to itself", cdb.test_unit_ready(), GOOD, clause=CLAUSE)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_a_release_is_told_where_registrants_shared(nexus_pair: NexusPair, kind: Kind) -> None:
    """RELEASE of a shared type is told to registrants, of another to nobody. Method: both."""
    expected = RELEASED if kind.admits_registrants else GOOD
    one, other = nexus_pair.one, nexus_pair.other
    name = f"RELEASE of {kind.title}"
    if not _can_watch(other, name, expected) or not _reserved(one, kind):
        return
    register(other, KEY_1)
    out(one, OutAction.RELEASE, kind, key=KEY_2).raise_for_status()
    _told_once(other, f"{name} by {one.path.name}", expected)


def test_a_change_of_access_state_is_told(nexus_pair: NexusPair) -> None:
    """SET TARGET PORT GROUPS is told to the other nexuses. Method: non-optimized and back."""
    one, other = nexus_pair.one, nexus_pair.other
    name = "SET TARGET PORT GROUPS"
    if not _can_watch(other, name, STATE_CHANGED):
        return
    if not offers(one, name, clause=CLAUSE) or not offers(
        one, "REPORT TARGET PORT GROUPS", clause=CLAUSE
    ):
        return
    states = access_states(one)
    if not settable(states):
        one.not_run(
            name, clause=CLAUSE, expected=str(STATE_CHANGED), reason=f"access states are {states}"
        )
        return
    group = max(states)
    changed = {group: 1 - min(states[group], 1)}
    try:
        set_access_states(one, changed).raise_for_status()
        _told_once(other, f"{name} by {one.path.name}", STATE_CHANGED)
    finally:
        one.settle()
        set_access_states(one, states)


def _witnesses(nexuses: Nexuses, name: str, expected: Expectation) -> list[Examiner]:
    """Return the other nexuses that nobody else asks; record that there is none."""
    found = [one for one in nexuses.others if not one.path.watched]
    if not found:
        nexuses.mine.not_run(name, clause=CLAUSE, expected=str(expected), reason=NO_WITNESS)
    return found


def _can_watch(nexus: Examiner, name: str, expected: Expectation) -> bool:
    if not nexus.path.watched:
        return True
    reason = f"{nexus.path.name} is watched by multipathd, which may be told first"
    nexus.not_run(name, clause=CLAUSE, expected=str(expected), reason=reason)
    return False


def _reserved(nexus: Examiner, kind: Kind) -> bool:
    """Register a nexus and let it reserve; tell whether the device can."""
    if not offers(nexus, "PERSISTENT RESERVE OUT RESERVE", clause=CLAUSE):
        return False
    register(nexus, KEY_2)
    out(nexus, OutAction.RESERVE, kind, key=KEY_2).raise_for_status()
    return True


def _pend(mine: Examiner, other: Examiner) -> bool:
    """Make a unit attention pend for *other*: both register, then CLEAR."""
    if not offers(mine, "PERSISTENT RESERVE OUT CLEAR", clause=CLAUSE):
        return False
    other.settle()
    register(mine, KEY_1)
    register(other, KEY_2)
    out(mine, OutAction.CLEAR, key=KEY_1).raise_for_status()
    return True


def _told_soon(nexus: Examiner, name: str, expected: Expectation) -> None:
    """As `_told_once`, within SOON_S: some drivers answer a reset before the device has done it."""
    command = cdb.test_unit_ready()
    end = time.monotonic() + SOON_S
    got = nexus.send(command)
    while GOOD.met_by(got) and time.monotonic() < end:
        time.sleep(0.01)
        got = nexus.send(command)
    nexus.claim(
        f"{name}: told to {nexus.path.name}",
        expected.met_by(got),
        clause=CLAUSE,
        expected=f"{expected}, within {SOON_S:.0f} s",
        observed=str(got),
        after=got,
    )
    nexus.expect(f"{name}: told once", command, GOOD, clause=CLAUSE)


def _told_once(nexus: Examiner, name: str, expected: Expectation) -> None:
    """Record that the next command is told, and the one after it is not."""
    nexus.expect(
        f"{name}: told to {nexus.path.name}", cdb.test_unit_ready(), expected, clause=CLAUSE
    )
    nexus.expect(f"{name}: told once", cdb.test_unit_ready(), GOOD, clause=CLAUSE)
