"""REPORT LUNS and REPORT TARGET PORT GROUPS: the unit and its ports as the target sees them."""

from certify import cdb, sg
from certify.conformance.examiner import DATA_IN_BYTES, ConformancePath, Examiner
from certify.inquiry import (
    Association,
    DesignatorKind,
    Page,
    decode_designators,
    decode_standard,
    decode_target_port_groups,
)

FAMILY = "LUNs and ports"
CLAUSE_LUNS = "SPC-6 6.35"
CLAUSE_GROUPS = "SPC-6 5.18, 6.36"
USABLE = (0x0, 0x1)
"""Active/optimized and active/non-optimized, SPC-6 5.18.2.4."""
LUN_BYTES = 8


def test_report_luns_lists_units(examiner: Examiner) -> None:
    """The list is whole and not empty. Method: REPORT LUNS of 1024 bytes."""
    got = examiner.expect(
        "REPORT LUNS", cdb.report_luns(), clause=CLAUSE_LUNS, data_in_length=DATA_IN_BYTES
    )
    length = int.from_bytes(got.data[:4])
    examiner.claim(
        "length of the LUN list",
        length >= LUN_BYTES and length % LUN_BYTES == 0,
        clause=CLAUSE_LUNS,
        expected="a multiple of 8, not 0",
        observed=f"{length} bytes",
        after=got,
    )


def test_the_unit_knows_its_ports(examiner: Examiner) -> None:
    """The port of this path is in its group, which is usable. Method: page 83h against RTPG."""
    if not _has_groups(examiner):
        return
    got = examiner.expect(
        "REPORT TARGET PORT GROUPS",
        cdb.report_target_port_groups(),
        clause=CLAUSE_GROUPS,
        data_in_length=DATA_IN_BYTES,
    )
    groups = {one.group: one for one in decode_target_port_groups(got.data)}
    port, group = _own_port(examiner)
    mine = groups.get(group)
    examiner.claim(
        "own target port is in its own group",
        mine is not None and port in mine.ports,
        clause=CLAUSE_GROUPS,
        expected=f"port {port} in group {group}",
        observed="; ".join(f"group {g.group}: ports {list(g.ports)}" for g in groups.values()),
        after=got,
    )
    examiner.claim(
        "own target port group is usable",
        mine is not None and mine.asymmetric_access_state in USABLE,
        clause="SPC-6 5.18.2.4",
        expected="active/optimized (0) or active/non-optimized (1)",
        observed=f"{mine.asymmetric_access_state if mine else 'no such group'}",
        after=got,
    )


def test_ports_are_told_apart(examiner: Examiner, unit_paths: list[ConformancePath]) -> None:
    """Two paths through different engines are different target ports. Method: page 83h of all."""
    if not _has_groups(examiner):
        return
    mine = _own_port(examiner)[0]
    for other in unit_paths:
        if other.engine == examiner.path.engine:
            continue
        with sg.opened(other.sg) as descriptor:
            page = sg.execute(
                descriptor,
                cdb.inquiry(DATA_IN_BYTES, page=Page.DESIGNATORS),
                data_in_length=DATA_IN_BYTES,
            ).raise_for_status()
        theirs = _port_of(page.data, DesignatorKind.RELATIVE_PORT)
        examiner.claim(
            f"relative target port differs from that of {other.name}",
            mine != theirs,
            clause="SPC-6 7.7.6.7",
            expected=f"not {theirs}",
            observed=f"{mine}",
        )


def _has_groups(examiner: Examiner) -> bool:
    """Tell whether the unit has target port groups; record that it has none."""
    data = examiner.send(cdb.inquiry(96), data_in_length=96).raise_for_status().data
    if decode_standard(data).target_port_group_support:
        return True
    examiner.not_run(
        "target port groups",
        clause=CLAUSE_GROUPS,
        expected="",
        reason="TPGS is 0: no asymmetric logical unit access",
    )
    return False


def _own_port(examiner: Examiner) -> tuple[int, int]:
    page = examiner.page(Page.DESIGNATORS)
    return (
        _port_of(page, DesignatorKind.RELATIVE_PORT),
        _port_of(page, DesignatorKind.PORT_GROUP),
    )


def _port_of(page: bytes, kind: DesignatorKind) -> int:
    """Return the number in a target port designator, -1 if page 83h has none of that kind."""
    for one in decode_designators(page):
        if (one.association, one.kind) == (Association.TARGET_PORT, kind):
            return int.from_bytes(one.value[2:4])
    return -1
