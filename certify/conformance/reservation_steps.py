"""Steps of the tests of persistent reservations: send, then look through both nexuses."""

from certify import reserve
from certify.conformance.examiner import Examiner
from certify.conformance.expectation import Expectation
from certify.conformance.nexus import NexusPair
from certify.reserve import InAction, OutAction

FAMILY = "Persistent reservations"
CLAUSE = "SPC-4 5.13 Reservations"
PARAMETERS = "SPC-4 6.16.3 Parameter list"
REPORTING = "SPC-4 6.15 PERSISTENT RESERVE IN command"
CLAUSES = {
    OutAction.RESERVE: "SPC-4 5.13.9 Reserving",
    OutAction.RELEASE: "SPC-4 5.13.11.2 Releasing",
    OutAction.CLEAR: "SPC-4 5.13.11.4 Clearing",
    OutAction.PREEMPT: "SPC-4 5.13.11.5 Preempting",
    OutAction.REGISTER_AND_MOVE: "SPC-4 5.13.8 Registering and moving",
}
REGISTERING = "SPC-4 5.13.7 Registering"
KEY_1, KEY_2, KEY_3, WRONG = 0xC1, 0xC2, 0xC3, 0xDEAD
RESERVE = "PERSISTENT RESERVE OUT RESERVE"
LU_SCOPE = 0


def does(
    nexus: Examiner,
    name: str,
    action: OutAction,
    expected: Expectation,
    *,
    kind: int = 0,
    key: int = 0,
    action_key: int = 0,
) -> None:
    """Send PERSISTENT RESERVE OUT, any unit attention read away before, and record its end."""
    clause = CLAUSES.get(action, REGISTERING)
    nexus.settle()
    nexus.expect(
        name,
        reserve.reserve_out(action, kind),
        expected,
        clause=clause,
        data_out=reserve.out_list(key, action_key),
    )


def keys_are(pair: NexusPair, name: str, wanted: list[int]) -> None:
    """Record whether both nexuses are told these keys, in any order."""
    for nexus in (pair.one, pair.other):
        nexus.settle()
        seen = sorted(reserve.decode_keys(report(nexus, InAction.READ_KEYS)))
        nexus.claim(
            f"keys {name}",
            seen == sorted(wanted),
            clause="SPC-4 6.15.2 READ KEYS",
            expected=str([f"{key:x}" for key in sorted(wanted)]),
            observed=str([f"{key:x}" for key in seen]),
        )


def is_held(pair: NexusPair, name: str, wanted: reserve.Reservation | None) -> None:
    """Record whether both nexuses are told this reservation."""
    for nexus in (pair.one, pair.other):
        nexus.settle()
        seen = reserve.decode_reservation(report(nexus, InAction.READ_RESERVATION))
        nexus.claim(
            f"READ RESERVATION: {name}",
            seen == wanted,
            clause="SPC-4 6.15.3 READ RESERVATION",
            expected=str(wanted or "nothing reserved"),
            observed=str(seen or "nothing reserved"),
        )


def generation(nexus: Examiner) -> int:
    """Return PRGENERATION; raise ScsiError."""
    return reserve.generation_of(report(nexus, InAction.READ_KEYS))


def report(nexus: Examiner, action: InAction) -> bytes:
    """Return the data of PERSISTENT RESERVE IN; raise ScsiError."""
    command = reserve.reserve_in(action)
    return nexus.send(command, data_in_length=reserve.DATA_BYTES).raise_for_status().data
