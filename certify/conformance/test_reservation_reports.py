"""What PERSISTENT RESERVE IN reports, and which lists and fields OUT refuses."""

import pytest

from certify import reserve
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import (
    CONFLICT,
    GOOD,
    INVALID_FIELD,
    INVALID_PARAMETER,
    INVALID_SERVICE_ACTION,
    LIST_LENGTH_ERROR,
    Expectation,
)
from certify.conformance.nexus import Nexuses, NexusPair, out, register
from certify.conformance.offers import offers
from certify.conformance.reservation_steps import (
    CLAUSE,
    KEY_1,
    KEY_2,
    KEY_3,
    PARAMETERS,
    REPORTING,
    RESERVE,
    WRONG,
    generation,
    report,
)
from certify.conformance.reservation_steps import (
    FAMILY as FAMILY,
)
from certify.reserve import InAction, Kind, OutAction


def test_the_generation_counts_what_it_must(nexus_pair: NexusPair) -> None:
    """PRGENERATION counts registering, clearing, preempting; not reserving, releasing, refusing."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, RESERVE, clause=CLAUSE):
        return
    kind = Kind.WRITE_EXCLUSIVE
    register(other, KEY_2)
    steps: tuple[tuple[str, Examiner, OutAction, int, int, int], ...] = (
        ("REGISTER", one, OutAction.REGISTER, 0, KEY_1, 1),
        ("RESERVE", one, OutAction.RESERVE, KEY_1, 0, 0),
        ("RELEASE", one, OutAction.RELEASE, KEY_1, 0, 0),
        ("a refused REGISTER", one, OutAction.REGISTER, WRONG, KEY_3, 0),
        ("REGISTER AND IGNORE", one, OutAction.REGISTER_AND_IGNORE, 0, KEY_1, 1),
        ("PREEMPT", one, OutAction.PREEMPT, KEY_1, KEY_2, 1),
        ("CLEAR", one, OutAction.CLEAR, KEY_1, 0, 1),
    )
    for name, nexus, action, key, action_key, count in steps:
        before = generation(one)
        typed = kind if action in (OutAction.RESERVE, OutAction.RELEASE, OutAction.PREEMPT) else 0
        out(nexus, action, typed, key=key, action_key=action_key)
        other.settle()
        for watcher in (one, other):
            seen = generation(watcher)
            watcher.claim(
                f"PRGENERATION counts {name} {count} times",
                seen == (before + count) & 0xFFFFFFFF,
                clause="SPC-4 6.15.2.2 READ KEYS",
                expected=f"{before} + {count}",
                observed=f"{seen}",
            )


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name.lower())
def test_full_status_names_every_nexus(nexus_pair: NexusPair, kind: Kind) -> None:
    """READ FULL STATUS tells key, holder, type, port of each. Method: two registered nexuses."""
    one, other = nexus_pair.one, nexus_pair.other
    if not offers(one, RESERVE, clause=CLAUSE):
        return
    if not offers(one, "PERSISTENT RESERVE IN READ FULL STATUS", clause=REPORTING):
        return
    register(one, KEY_1)
    register(other, KEY_2)
    out(one, OutAction.RESERVE, kind, key=KEY_1).raise_for_status()
    wanted = {KEY_1: (True, kind), KEY_2: (kind.all_hold, kind if kind.all_hold else 0)}
    for nexus in (one, other):
        nexus.settle()
        got = report(nexus, InAction.READ_FULL_STATUS)
        found = reserve.decode_full_status(got)
        seen = {each.key: (each.holds, each.kind if each.holds else 0) for each in found}
        nexus.claim(
            f"{kind.title}: keys and holders in READ FULL STATUS",
            seen == wanted and len(found) == 2,
            clause="SPC-4 6.15.5 READ FULL STATUS",
            expected=str(wanted),
            observed=str(seen),
        )
        ports = {each.key: (each.port, each.transport_id) for each in found}
        nexus.claim(
            f"{kind.title}: two nexuses are told apart in READ FULL STATUS",
            len(set(ports.values())) == len(found) and all(each.transport_id for each in found),
            clause="SPC-4 6.15.5, 7.6.4 TransportID",
            expected="a port and a TransportID each, not both alike",
            observed="; ".join(f"port {port}, {name.hex()}" for port, name in ports.values()),
        )


def test_capabilities_are_consistent(nexuses: Nexuses) -> None:
    """REPORT CAPABILITIES tells what works. Method: APTPL, and each type of its mask."""
    mine = nexuses.mine
    if not offers(mine, "PERSISTENT RESERVE IN REPORT CAPABILITIES", clause=REPORTING):
        return
    seen = reserve.decode_capabilities(report(mine, InAction.REPORT_CAPABILITIES))
    mine.claim(
        "length of REPORT CAPABILITIES data",
        seen.length == 8,
        clause="SPC-4 6.15.4",
        expected="8",
        observed=f"{seen.length}",
    )
    for kind in Kind:
        register(mine, KEY_1)
        got = out(mine, OutAction.RESERVE, kind, key=KEY_1)
        works = got.is_good
        mine.claim(
            f"type mask tells {kind.title} as it is",
            not seen.mask_is_valid or works is (kind in seen.kinds),
            clause="SPC-4 6.15.4",
            expected=f"bit {kind:x}h {'set' if works else 'clear'}, for RESERVE ended {got}",
            observed=f"types {sorted(seen.kinds)}",
        )
        out(mine, OutAction.CLEAR, key=KEY_1)
    for flag in (1, 0):
        got = out(mine, OutAction.REGISTER_AND_IGNORE, action_key=KEY_1, flags=flag)
        now = reserve.decode_capabilities(report(mine, InAction.REPORT_CAPABILITIES))
        active, wanted = now.aptpl_active, bool(flag) and seen.aptpl_capable
        fits = active is wanted and (got.is_good or not seen.aptpl_capable)
        mine.claim(
            f"APTPL {flag} is taken as PTPL_C says, and PTPL_A tells it",
            fits,
            clause="SPC-4 5.13.5 Preserving persistent reservations",
            expected=f"PTPL_C {int(seen.aptpl_capable)}: PTPL_A {int(wanted)}",
            observed=f"{got}, PTPL_A {int(active)}",
        )


def test_registering_all_ports_registers_them(nexuses: Nexuses) -> None:
    """ALL_TG_PT registers the host at every port. Method: REGISTER, then RESERVE by another."""
    mine = nexuses.mine
    seen = reserve.decode_capabilities(report(mine, InAction.REPORT_CAPABILITIES))
    name = "REGISTER with ALL_TG_PT"
    got = out(mine, OutAction.REGISTER, action_key=KEY_1, flags=0x04)
    if not seen.all_ports:
        mine.claim(
            f"{name}, ATP_C 0",
            INVALID_PARAMETER.met_by(got),
            clause=PARAMETERS,
            expected=str(INVALID_PARAMETER),
            observed=str(got),
            after=got,
        )
        return
    got.raise_for_status()
    for other in nexuses.others:
        same = other.path.host == mine.path.host
        other.settle()
        answer = out(other, OutAction.RESERVE, Kind.WRITE_EXCLUSIVE_ALL, key=KEY_1)
        other.claim(
            f"{name} by {mine.path.name}",
            answer.is_good is same,
            clause=PARAMETERS,
            expected=f"{'registered' if same else 'not registered'}: RESERVE is "
            f"{GOOD if same else CONFLICT}",
            observed=str(answer),
        )


@pytest.mark.parametrize("length", [0, 8, 23, 25], ids=lambda length: f"{length}bytes")
def test_a_list_of_another_length_is_refused(nexuses: Nexuses, length: int) -> None:
    """A list is 24 bytes. Method: other lengths; nobody is registered by them."""
    mine = nexuses.mine
    if not offers(mine, RESERVE, clause=CLAUSE):
        return
    data = reserve.out_list(0, KEY_1).ljust(length, b"\0")[:length]
    mine.expect(
        f"REGISTER with a list of {length} bytes",
        reserve.reserve_out(OutAction.REGISTER, list_length=length),
        LIST_LENGTH_ERROR,
        clause=PARAMETERS,
        data_out=data or None,
    )
    seen = reserve.decode_keys(report(mine, InAction.READ_KEYS))
    mine.claim(
        f"a list of {length} bytes registers nobody",
        not seen,
        clause=PARAMETERS,
        expected="no keys",
        observed=str(seen),
    )


def test_wrong_fields_are_refused(nexuses: Nexuses) -> None:
    """Reserved types, scopes and actions are refused. Method: each once, as a registrant."""
    mine = nexuses.mine
    if not offers(mine, RESERVE, clause=CLAUSE):
        return
    register(mine, KEY_1)
    data = reserve.out_list(KEY_1)
    cases: tuple[tuple[str, bytes, Expectation], ...] = (
        ("type 0h", reserve.reserve_out(OutAction.RESERVE, 0x0), INVALID_FIELD),
        ("type Fh", reserve.reserve_out(OutAction.RESERVE, 0xF), INVALID_FIELD),
        ("scope 2h", reserve.reserve_out(OutAction.RESERVE, 1, scope=2), INVALID_FIELD),
        ("service action 1Fh", reserve.reserve_out(0x1F), INVALID_SERVICE_ACTION),
    )
    for name, command, expected in cases:
        mine.expect(
            f"PERSISTENT RESERVE OUT, {name}", command, expected, clause=CLAUSE, data_out=data
        )
    mine.expect(
        "PERSISTENT RESERVE IN, service action 1Fh",
        bytes((0x5E, 0x1F, 0, 0, 0, 0, 0, 0, 64, 0)),
        INVALID_SERVICE_ACTION,
        clause=REPORTING,
        data_in_length=64,
    )


@pytest.mark.parametrize("action", list(InAction), ids=lambda action: action.name.lower())
def test_allocation_length_cuts_the_data(nexuses: Nexuses, action: InAction) -> None:
    """Data is cut, lengths in it are not. Method: 8 bytes against all."""
    mine = nexuses.mine
    name = f"PERSISTENT RESERVE IN {action.name.replace('_', ' ')}"
    if not offers(mine, name, clause=REPORTING):
        return
    register(mine, KEY_1)
    whole = report(mine, action)
    got = mine.send(reserve.reserve_in(action, 8), data_in_length=8)
    mine.claim(
        f"{name} cut to 8 bytes",
        got.is_good and got.data == whole[:8],
        clause="SPC-4 4.2.5.6 Allocation length",
        expected=whole[:8].hex(" "),
        observed=f"{got}: {got.data.hex(' ')}",
        after=got,
    )
