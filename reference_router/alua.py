"""Asymmetric logical unit access: REPORT and SET TARGET PORT GROUPS (SPC-4 5.15, 6.27, 6.37). Pure.

There is one target port group per engine, with one port; both have the engine's id as number.
"""

import msgspec

from reference_router.conflicts import Conflict, conflicts
from reference_router.scsi import (
    GOOD,
    LIST_LENGTH_ERROR,
    RESERVED,
    Response,
    invalid_parameter,
)
from reference_router.service_state import (
    Access,
    AccessState,
    Attention,
    Change,
    Nexus,
    ServiceState,
)

ACCESS_STATE_CHANGED = 0x2A, 0x06
GROUPS_LIST_MAX_BYTES = 4 + 4 * 64
_SUPPORTED = 0x0F  # U_SUP, S_SUP, AN_SUP, AO_SUP
_PREFERRED = 0x80
_EXTENDED_HEADER = bytes((0x10, 0, 0, 0))  # no implicit transition time
_NO_STATUS, _BY_COMMAND, _IMPLICITLY = 0, 1, 2
_HEADER_BYTES, _DESCRIPTOR_BYTES = 4, 4


def report_groups(
    state: ServiceState, *, engines: tuple[int, ...], members: tuple[int, ...], extended: bool
) -> bytes:
    """Return REPORT TARGET PORT GROUPS data; engines that are no members are unavailable."""
    groups = b"".join(_group(state, engine, serves=engine in members) for engine in sorted(engines))
    body = (_EXTENDED_HEADER if extended else b"") + groups
    return len(body).to_bytes(4, "big") + body


def _group(state: ServiceState, engine: int, *, serves: bool) -> bytes:
    access, status = state.access_of(engine), _NO_STATUS
    if not serves:
        access, status = AccessState.UNAVAILABLE, _IMPLICITLY
    elif any(each.engine == engine for each in state.access):
        status = _BY_COMMAND
    preferred = _PREFERRED if engine == state.preferred else 0
    number = engine.to_bytes(2, "big")
    ports = 1
    head = bytes((preferred | access, _SUPPORTED)) + number
    return head + bytes((0, status, 0, ports, 0, 0)) + number


def parse_groups(
    parameters: bytes, engines: tuple[int, ...]
) -> tuple[tuple[int, AccessState], ...] | Response:
    """Return the states that a SET TARGET PORT GROUPS list sets, by engine, or why it is refused.

    Unavailable and offline are not a host's to set.
    """
    if not parameters:
        return ()
    size = len(parameters)
    if size < _HEADER_BYTES or (size - _HEADER_BYTES) % _DESCRIPTOR_BYTES:
        return LIST_LENGTH_ERROR
    wanted = []
    for start in range(_HEADER_BYTES, size, _DESCRIPTOR_BYTES):
        access = parameters[start] & 0x0F
        if access > AccessState.STANDBY:
            return invalid_parameter(start)
        engine = int.from_bytes(parameters[start + 2 : start + 4], "big")
        if engine not in engines:
            return invalid_parameter(start + 2)
        wanted.append((engine, AccessState(access)))
    return tuple(wanted)


def set_groups(
    state: ServiceState,
    nexus: Nexus,
    parameters: bytes,
    *,
    hosts: tuple[str, ...],
    engines: tuple[int, ...],
) -> Change:
    """Set access states. Every other nexus learns it by a unit attention (SPC-4 5.15.2.7)."""
    if conflicts(state, nexus, Conflict.WRITE):
        return Change(state, RESERVED)
    wanted = parse_groups(parameters, engines)
    if isinstance(wanted, Response):
        return Change(state, wanted)
    access = {each.engine: each.state for each in state.access} | dict(wanted)
    if all(state.access_of(engine) == access[engine] for engine in access):
        return Change(state, GOOD)
    entries = tuple(Access(engine=engine, state=access[engine]) for engine in sorted(access))
    asc, ascq = ACCESS_STATE_CHANGED
    attentions = tuple(
        Attention(host=host, engine=engine, asc=asc, ascq=ascq)
        for host in hosts
        for engine in engines
        if (host, engine) != nexus
    )
    return Change(msgspec.structs.replace(state, access=entries), GOOD, attentions)
