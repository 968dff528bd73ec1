"""Asymmetric access: all nexuses see the same groups, and a group does what its state says."""

import pytest

from certify import cdb
from certify.conformance.examiner import DATA_IN_BYTES, Examiner
from certify.conformance.expectation import (
    CUT_LIST,
    GOOD,
    INVALID_PARAMETER,
    STANDBY,
    Expectation,
)
from certify.conformance.nexus import (
    Nexuses,
    NexusPair,
    access_states,
    groups_list,
    set_access_states,
    settable,
)
from certify.conformance.offers import offers
from certify.inquiry import (
    Association,
    DesignatorKind,
    Page,
    decode_designators,
    decode_target_port_groups,
)

FAMILY = "ALUA"
CLAUSE = "SPC-4 5.15 Target port and logical unit asymmetric access"
CLAUSE_REPORT = "SPC-4 REPORT TARGET PORT GROUPS command"
CLAUSE_SET = "SPC-4 SET TARGET PORT GROUPS command"
REPORT, SET = "REPORT TARGET PORT GROUPS", "SET TARGET PORT GROUPS"
NON_OPTIMIZED, STANDBY_STATE = 0x1, 0x2
NO_GROUP = 0xFFF0
ANSWERED_IN_STANDBY = (
    ("INQUIRY", cdb.inquiry(36), 36),
    ("REPORT LUNS", cdb.report_luns(), DATA_IN_BYTES),
    ("REQUEST SENSE", cdb.request_sense(), 252),
    (REPORT, cdb.report_target_port_groups(), DATA_IN_BYTES),
)
"""What SPC-4 5.15.2.4.4 and 5.15.2.4.5 ask of a port in standby or unavailable."""


def test_every_nexus_tells_the_same_groups(nexuses: Nexuses) -> None:
    """Groups and states do not depend on who asks whom. Method: RTPG through every nexus."""
    mine = nexuses.mine
    if not offers(mine, REPORT, clause=CLAUSE_REPORT):
        return
    groups = _groups(mine)
    for other in nexuses.others:
        seen = _groups(other)
        other.claim(
            f"groups as {mine.path.name} tells them",
            seen == groups,
            clause=CLAUSE_REPORT,
            expected=str(groups),
            observed=str(seen),
        )


def test_page_83_of_every_path_is_in_the_list(nexuses: Nexuses) -> None:
    """VPD page 83h and RTPG agree about port and group. Method: both through every nexus."""
    if not offers(nexuses.mine, REPORT, clause=CLAUSE_REPORT):
        return
    ports = {
        port: group for group, (_, members) in _groups(nexuses.mine).items() for port in members
    }
    for nexus in nexuses.all:
        port, group = _place(nexus)
        nexus.claim(
            "port and group of page 83h are in the list of groups",
            port is not None and ports.get(port) == group,
            clause="SPC-4 5.15.2.1, 7.8.6",
            expected=f"port {port} in group {ports.get(port or 0)}",
            observed=f"port {port} in group {group}",
        )


def test_both_formats_tell_the_same(nexuses: Nexuses) -> None:
    """The extended header is optional and moves the descriptors only. Method: both formats."""
    examiner = nexuses.mine
    if not offers(examiner, REPORT, clause=CLAUSE_REPORT):
        return
    short = examiner.send(cdb.report_target_port_groups(), data_in_length=DATA_IN_BYTES)
    long = examiner.send(cdb.report_target_port_groups(extended=True), data_in_length=DATA_IN_BYTES)
    name = "extended parameter data format"
    if not long.is_good:
        examiner.not_run(
            name, clause=CLAUSE_REPORT, expected=str(GOOD), reason=f"optional; answered {long}"
        )
        return
    groups = long.data[8 : 4 + int.from_bytes(long.data[:4])]
    wanted = short.data[4 : 4 + int.from_bytes(short.data[:4])]
    examiner.claim(
        name,
        len(long.data) > 8 and long.data[4] >> 4 & 0x7 == 1 and groups == wanted,
        clause=CLAUSE_REPORT,
        expected=f"format 1, then {wanted.hex(' ')}",
        observed=f"{long.data[4:8].hex(' ')}, then {groups.hex(' ')}",
        after=long,
    )


@pytest.mark.parametrize("state", [NON_OPTIMIZED, STANDBY_STATE], ids=["non-optimized", "standby"])
def test_a_group_does_what_its_state_says(nexus_pair: NexusPair, state: int) -> None:
    """Set by one nexus, a state holds for all. Method: the other's group, RTPG and commands."""
    one, other = nexus_pair.one, nexus_pair.other
    if not _can_set(one):
        return
    states = access_states(one)
    _, group = _place(other)
    if group is None or group == _place(one)[1]:
        one.not_run(
            f"{SET} of the other's group",
            clause=CLAUSE_SET,
            expected=str(GOOD),
            reason="both nexuses are in one target port group",
        )
        return
    wanted = {**states, group: state}
    parameters = groups_list({group: state})
    try:
        one.expect(
            f"{SET}: state {state} for group {group}",
            cdb.set_target_port_groups(len(parameters)),
            clause=CLAUSE_SET,
            data_out=parameters,
        )
        for nexus in nexus_pair.all:
            nexus.settle()
            seen = access_states(nexus)
            nexus.claim(
                f"state {state} of group {group} as set by {one.path.name}",
                seen == wanted,
                clause=CLAUSE,
                expected=str(wanted),
                observed=str(seen),
            )
        _answers_in(other, state)
        _serves(one, GOOD, "the other group serves on")
    finally:
        one.settle()
        set_access_states(one, states)
    for nexus in nexus_pair.all:
        nexus.settle()
    _serves(other, GOOD, "after the state is set back")


def test_a_wrong_list_is_refused(nexuses: Nexuses) -> None:
    """What no group can be is refused and changes nothing. Method: bad group, bad state, cut."""
    examiner = nexuses.mine
    if not _can_set(examiner):
        return
    states = access_states(examiner)
    group = min(states)
    cases: tuple[tuple[str, bytes, Expectation], ...] = (
        ("a group that is not there", groups_list({NO_GROUP: 0}), INVALID_PARAMETER),
        ("a reserved state", groups_list({group: 0x7}), INVALID_PARAMETER),
        ("a header cut short", bytes(3), CUT_LIST),
        ("a descriptor cut short", groups_list({group: 0})[:-2], CUT_LIST),
    )
    for name, data, expected in cases:
        examiner.expect(
            f"{SET}: {name}",
            cdb.set_target_port_groups(len(data)),
            expected,
            clause=CLAUSE_SET,
            data_out=data,
        )
    seen = access_states(examiner)
    examiner.claim(
        f"{SET}: refused lists change nothing",
        seen == states,
        clause=CLAUSE_SET,
        expected=str(states),
        observed=str(seen),
    )


def _answers_in(nexus: Examiner, state: int) -> None:
    if state == NON_OPTIMIZED:
        _serves(nexus, GOOD, "in active/non-optimized")
        return
    _serves(nexus, STANDBY, "in standby")
    for name, command, length in ANSWERED_IN_STANDBY:
        nexus.expect(
            f"{name} in standby", command, GOOD, clause="SPC-4 5.15.2.4", data_in_length=length
        )


def _serves(nexus: Examiner, expected: Expectation, when: str) -> None:
    size = nexus.path.block_bytes
    for name, command, length in (
        ("TEST UNIT READY", cdb.test_unit_ready(), 0),
        ("READ(10)", cdb.read(0, 1), size),
    ):
        nexus.expect(f"{name} {when}", command, expected, clause=CLAUSE, data_in_length=length)


def _can_set(examiner: Examiner) -> bool:
    """Tell whether access states are a host's to set here; record that they are not."""
    if not offers(examiner, REPORT, clause=CLAUSE_REPORT):
        return False
    if not offers(examiner, SET, clause=CLAUSE_SET):
        return False
    states = access_states(examiner)
    if settable(states) and STANDBY_STATE not in states.values():
        return True
    examiner.not_run(
        SET, clause=CLAUSE_SET, expected=str(GOOD), reason=f"access states are {states} already"
    )
    return False


def _groups(nexus: Examiner) -> dict[int, tuple[int, tuple[int, ...]]]:
    """Return (state, ports) of every group."""
    command = cdb.report_target_port_groups(DATA_IN_BYTES)
    got = nexus.send(command, data_in_length=DATA_IN_BYTES).raise_for_status()
    return {
        one.group: (one.asymmetric_access_state, one.ports)
        for one in decode_target_port_groups(got.data)
    }


def _place(nexus: Examiner) -> tuple[int | None, int | None]:
    """Return relative target port and target port group of page 83h, None if it has none."""
    found: dict[int, int] = {}
    for one in decode_designators(nexus.page(Page.DESIGNATORS)):
        if one.association == Association.TARGET_PORT:
            found[one.kind] = int.from_bytes(one.value[2:4])
    return found.get(DesignatorKind.RELATIVE_PORT), found.get(DesignatorKind.PORT_GROUP)
