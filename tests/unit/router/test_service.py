"""The agreed state: any sequence of requests keeps it sound; a file keeps what it must."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scsi_target import ENGINES, HOSTS

from reference_router.reservation_data import transport_id
from reference_router.scsi import Response, Status
from reference_router.service import (
    Nexus,
    ServiceFileError,
    ServiceRequest,
    ServiceState,
    apply,
    from_file,
    to_file,
)
from reference_router.service_state import Registration, Reservation, ReservationType

KEYS = st.integers(0, 3)
TYPES = st.sampled_from([*ReservationType, 0, 2, 0x13])


def out(action, kind, key, new, flags):
    data = key.to_bytes(8, "big") + new.to_bytes(8, "big") + bytes((0, 0, 0, 0, flags, 0, 0, 0))
    return bytes((0x5F, action, kind, 0, 0, 0, 0, 0, 24, 0)), data


def moved(key, new, unregister, port, host):
    name = transport_id(host)
    data = key.to_bytes(8, "big") + new.to_bytes(8, "big") + bytes((0, 2 * unregister))
    data += port.to_bytes(2, "big") + len(name).to_bytes(4, "big") + name
    return bytes((0x5F, 7, 0, 0, 0, 0, 0, 0, len(data), 0)), data


COMMANDS = st.one_of(
    st.builds(out, st.integers(0, 6), TYPES, KEYS, KEYS, st.sampled_from((0, 1, 4, 5, 8))),
    st.builds(moved, KEYS, KEYS, st.booleans(), st.integers(1, 3), st.sampled_from(HOSTS)),
    st.sampled_from([(bytes((code, 0, 0, 0, 0, 0)), b"") for code in (0x16, 0x17, 0x56, 0x57)]),
)
REQUESTS = st.builds(
    lambda host, engine, command: ServiceRequest(
        host=host, engine=engine, cdb=command[0], parameters=command[1]
    ),
    st.sampled_from(HOSTS),
    st.sampled_from(ENGINES),
    COMMANDS,
)
HISTORIES = st.lists(REQUESTS, max_size=30)


def run(history):
    """Yield (state before, request, change) of each request."""
    state = ServiceState()
    for request in history:
        change = apply(state, request, hosts=HOSTS, engines=ENGINES)
        yield state, request, change
        state = change.state


def action_of(request):
    return request.cdb[1] if request.cdb[0] == 0x5F else None


@given(HISTORIES)
def test_one_holder_who_is_registered_or_all_registrants(history):
    for _, _, change in run(history):
        state = change.state
        if state.reservation is None:
            continue
        holders = [each.nexus for each in state.registrations if state.holds(each.nexus)]
        if state.reservation.kind.has_one_holder:
            assert holders == [state.reservation.holder]
        else:
            assert state.reservation.holder is None
            assert len(holders) == len(state.registrations) > 0


@given(HISTORIES)
def test_registrations_are_one_per_nexus_and_never_zero(history):
    for _, _, change in run(history):
        nexuses = [each.nexus for each in change.state.registrations]
        assert nexuses == sorted(set(nexuses))
        assert all(each.key for each in change.state.registrations)
        assert change.state.legacy is None or not nexuses


@given(HISTORIES)
def test_what_is_refused_changes_nothing(history):
    for before, _, change in run(history):
        if change.response.status != Status.GOOD:
            assert (change.state, change.attentions) == (before, ())


@given(HISTORIES)
def test_generation_never_falls_and_counts_every_change_of_registrations(history):
    for before, _, change in run(history):
        step = change.state.generation - before.generation
        assert step in (0, 1)
        if change.state.registrations != before.registrations:
            assert step == 1


@given(HISTORIES)
def test_nobody_is_told_of_what_it_did_itself_and_nobody_twice(history):
    for _, request, change in run(history):
        told = [(each.host, each.engine, each.asc, each.ascq) for each in change.attentions]
        assert len(told) == len(set(told))
        assert (request.host, request.engine) not in {each[:2] for each in told}


@given(HISTORIES)
def test_preempt_removes_the_named_key_and_no_other(history):
    for before, request, change in run(history):
        if action_of(request) not in (4, 5) or change.response.status != Status.GOOD:
            continue
        named = int.from_bytes(request.parameters[8:16], "big")
        sender = Nexus(request.host, request.engine)
        gone = set(before.registrations) - set(change.state.registrations)
        assert set(change.state.registrations) <= set(before.registrations)
        if named:
            assert {each.key for each in gone} <= {named}
            left = {each.nexus for each in change.state.registrations if each.key == named}
            assert left <= {sender}
        else:
            assert {each.nexus for each in change.state.registrations} == {sender}
        assert (
            change.state.holds(sender)
            or change.state.reservation == before.reservation
            or (not change.state.registrations)
        )


@given(HISTORIES)
def test_who_loses_its_registration_to_another_is_told(history):
    for before, request, change in run(history):
        kept = {each.nexus for each in change.state.registrations}
        sender = Nexus(request.host, request.engine)
        lost = {each.nexus for each in before.registrations} - kept - {sender}
        if action_of(request) in (3, 4, 5):
            told = {Nexus(each.host, each.engine) for each in change.attentions}
            assert lost <= told


@given(HISTORIES)
def test_state_travels_as_json(history):
    for _, _, change in run(history):
        wire = msgspec.json.encode(change.state)
        assert msgspec.json.decode(wire, type=ServiceState) == change.state


@given(HISTORIES)
def test_file_keeps_registrations_with_aptpl_and_nothing_else(history):
    state = ServiceState()
    for _, _, change in run(history):
        state = change.state
    kept = from_file(to_file(state))

    assert (kept.legacy, kept.generation, kept.access) == (None, 0, ())
    if state.persistent:
        assert (kept.registrations, kept.reservation) == (state.registrations, state.reservation)
    else:
        assert kept == ServiceState()


@given(st.binary(max_size=20), st.binary(max_size=64), st.sampled_from((0x5F, 0xA4, 0x16, 0x00)))
def test_garbage_from_the_link_is_refused_not_raised(cdb, parameters, code):
    request = ServiceRequest(host="x", engine=9, cdb=bytes((code,)) + cdb, parameters=parameters)
    change = apply(ServiceState(), request, hosts=HOSTS, engines=ENGINES)

    assert isinstance(change.response, Response)


def registered(**other):
    one = Registration(nexus=Nexus("alpha", 1), key=0xFFFF_FFFF_FFFF_FFFF)
    return ServiceState(registrations=(one,), aptpl=True, **other)


def test_largest_key_and_preferred_engine_come_back():
    state = registered(preferred=2)

    assert from_file(to_file(state)) == state


def replaced(text, by):
    """Return a file in which `text` is replaced."""
    kind = ReservationType.WRITE_EXCLUSIVE
    held = Reservation(kind=kind, holder=Nexus("alpha", 1))
    data = to_file(registered(reservation=held)).decode()
    assert text in data
    return data.replace(text, by).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a file of services"),
        (b"\xff\xfe", "not a file of services"),
        (b'{"schema":1}', "services"),
        (to_file(ServiceState())[:-3], "not a file of services"),
        (replaced('"schema":1', '"schema":2'), "schema: expected 1, seen 2"),
        (replaced('"kind":1', '"kind":4'), "not a file of services"),
        (replaced('"kind":1', '"kind":7'), "all registrants"),
        (replaced('"holder":["alpha",1]', '"holder":["beta",1]'), "holder: expected one of"),
        (replaced("18446744073709551615", "0"), "key: expected 1 to"),
        (replaced('"aptpl":true', '"aptpl":true,"more":1'), "more"),
        (replaced('"generation":0', '"generation":-1'), "generation"),
    ],
)
def test_file_that_is_not_sound_is_an_error_that_says_why(data, says):
    with pytest.raises(ServiceFileError, match=says):
        from_file(data)
