"""Every saboteur: what is wrong with it, and which check must say so."""

from certify.saboteurs.defects import answers, identity
from certify.saboteurs.defects import reservations as reserving
from certify.saboteurs.defects.arrays import ArrayWatch, LeavesArrayOut, ReadsReturnedLeg
from certify.saboteurs.defects.data import (
    DropsWrite,
    FlipsBitOnRead,
    FlipsBitOnWrite,
    MisplacesWrite,
    ReadsZeroes,
    SwapsBlocks,
)
from certify.saboteurs.defects.ordering import (
    ReadsOwnCache,
    ReordersWrites,
    ReplaysOldWrites,
    TearsAtFailover,
    WriteBehind,
)
from certify.saboteurs.defects.stalls import HoldsAtFailback, HoldsAtFailover, Pauses, StaysAway
from certify.saboteurs.places import Places
from certify.saboteurs.saboteur import CONFORMANCE, Around, Catch, Saboteur

PREFIX = "saboteur:"
CONTROL = "control"
ARRAY, UNIT = "A", "lu0"
"""The array that scenario A1 takes away, and the unit that is under load."""

_DATA = "Data read is the data written|linearizab"
_EQUAL = "Arrays compared"
_STALL = "Longest stall after the fault"


def _in(scenario: str, check: str) -> tuple[Catch, ...]:
    return (Catch(where=scenario, check=check),)


def _assertion(pattern: str) -> tuple[Catch, ...]:
    return (Catch(where=CONFORMANCE, check=pattern),)


def _watch(places: Places) -> ArrayWatch:
    return ArrayWatch(places.back_path(ARRAY))


_CONTROL = Saboteur(
    name=CONTROL,
    family="none",
    what="No defect: every command is passed on as it is. It must pass.",
)

_DATA_DEFECTS = (
    Saboteur(
        name="bit-flip-on-read",
        family="data",
        what="One READ in fifty returns data with one bit changed.",
        defect=lambda _: FlipsBitOnRead(50),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="bit-flip-on-write",
        family="data",
        what="One WRITE in fifty is carried out with one bit changed.",
        defect=lambda _: FlipsBitOnWrite(50),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="misplaced-write",
        family="data",
        what="One WRITE in forty goes to a neighbouring address.",
        defect=lambda _: MisplacesWrite(40),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="swapped-blocks",
        family="data",
        what="One engine takes some neighbouring blocks for each other.",
        defect=lambda _: SwapsBlocks(),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="zeroes-for-data",
        family="data",
        what="One stretch in sixty-four reads as zeroes, as if never written.",
        defect=lambda _: ReadsZeroes(),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="dropped-write",
        family="data",
        what="One WRITE in fifty is acknowledged and forgotten.",
        defect=lambda _: DropsWrite(50),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="torn-at-failover",
        family="data",
        what="What a lost engine was sent is carried out by the other one, but half of it.",
        defect=lambda _: TearsAtFailover(),
        scenarios=("E1k",),
        caught_by=_in("E1k", _DATA),
    ),
    Saboteur(
        name="write-cache-lost",
        family="data",
        what="Writes are acknowledged from a cache that is lost with its engine.",
        defect=lambda _: WriteBehind(lost_with_engine=True),
        scenarios=("E1k",),
        caught_by=_in("E1k", _DATA),
    ),
)

_MIRROR_DEFECTS = (
    Saboteur(
        name="asynchronous-mirror",
        family="mirror",
        what="Writes are acknowledged before the arrays have them, and lost with an array.",
        defect=lambda places: WriteBehind(watch=_watch(places)),
        scenarios=("A1",),
        caught_by=_in("A1", _DATA),
    ),
    Saboteur(
        name="stale-leg-read",
        family="mirror",
        what="An array that came back is read at once, before it has what it missed.",
        defect=lambda places: ReadsReturnedLeg(
            _watch(places), leg=places.leg(ARRAY, UNIT), unit=UNIT
        ),
        scenarios=("A1",),
        caught_by=_in("A1", _DATA),
    ),
    Saboteur(
        name="one-leg-written",
        family="mirror",
        what="The second copy takes every write and keeps none.",
        around=Around(flaky=(("arrayB-lu0", "drop_writes"),)),
        scenarios=("B0",),
        caught_by=_in("B0", _EQUAL),
    ),
    Saboteur(
        name="one-leg-corrupted",
        family="mirror",
        what="The second copy has a byte wrong in every write.",
        around=Around(flaky=(("arrayB-lu0", "corrupt_bio_byte 40 w 65 0"),)),
        scenarios=("B0",),
        caught_by=_in("B0", _EQUAL),
    ),
)

_ORDERING_DEFECTS = (
    Saboteur(
        name="ghost-write",
        family="ordering",
        what="An engine that returns carries out again what it was last sent before its loss.",
        defect=lambda _: ReplaysOldWrites(),
        scenarios=("E2h",),
        caught_by=_in("E2h", _DATA),
    ),
    Saboteur(
        name="reordered-writes",
        family="ordering",
        what="One acknowledged write in ten is carried out after a later one to the same block.",
        defect=lambda _: ReordersWrites(10),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
    Saboteur(
        name="incoherent-cache",
        family="ordering",
        what="Each engine reads from a cache that the other engine's writes do not touch.",
        defect=lambda _: ReadsOwnCache(),
        scenarios=("B0",),
        caught_by=_in("B0", _DATA),
    ),
)

_RESERVATION_DEFECTS = (
    Saboteur(
        name="reservations-forgotten",
        family="reservations",
        what="All registrations and reservations are gone after the loss of an engine.",
        defect=lambda _: reserving.ForgetsAtFailover(),
        scenarios=("S1",),
        caught_by=_in("S1", "(?i)reserv|regist|preempt|conflict"),
    ),
    Saboteur(
        name="reservations-not-enforced",
        family="reservations",
        what="A host that a reservation locks out writes all the same.",
        defect=lambda _: reserving.NotEnforced(),
        caught_by=_assertion("^PR enforcement: .*(?i:write)"),
    ),
    Saboteur(
        name="reservations-not-shared",
        family="reservations",
        what="The second engine knows nothing of keys and reservations.",
        defect=lambda _: reserving.NotShared(),
        caught_by=_assertion("^(PR enforcement|Persistent reservations): "),
    ),
)

_IDENTITY_DEFECTS = (
    Saboteur(
        name="access-state-wrong",
        family="identity",
        what="A port that serves everything is reported as standby.",
        defect=lambda _: identity.AccessStateWrong(),
        caught_by=_assertion("^(ALUA|LUNs and ports): "),
    ),
    Saboteur(
        name="same-port-identifier",
        family="identity",
        what="Both engines give the same relative target port identifier.",
        defect=lambda _: identity.SameRelativePort(),
        caught_by=_assertion("relative target port differs"),
    ),
    Saboteur(
        name="serial-differs",
        family="identity",
        what="A unit has another serial number through the second engine.",
        defect=lambda _: identity.SerialDiffers(),
        caught_by=_assertion("^VPD: .*(?i:serial|same|80h)"),
    ),
    Saboteur(
        name="command-denied",
        family="identity",
        what="A command that works is not in the list of supported commands.",
        defect=lambda _: identity.DeniesCommand(),
        caught_by=_assertion("^Operation codes: "),
    ),
)

_ANSWER_DEFECTS = (
    Saboteur(
        name="wrong-sense-beyond-end",
        family="sense data",
        what="A command beyond the last block is called an invalid field.",
        defect=lambda _: answers.WrongSenseBeyondEnd(),
        caught_by=_assertion("^Bounds: "),
    ),
    Saboteur(
        name="unknown-command-good",
        family="sense data",
        what="A command that does not exist ends GOOD.",
        defect=lambda _: answers.AcceptsUnknown(),
        caught_by=_assertion("^Bad CDBs: "),
    ),
    Saboteur(
        name="no-unit-attention",
        family="sense data",
        what="No host is ever told that something happened to its unit.",
        defect=lambda _: answers.NoUnitAttention(),
        caught_by=_assertion("^Unit attentions: "),
    ),
    Saboteur(
        name="error-at-failover",
        family="sense data",
        what="What a lost engine held ends as an error that no host tries elsewhere.",
        defect=lambda _: answers.ErrorAtFailover(),
        scenarios=("E1k",),
        caught_by=_in("E1k", "I/O errors at the application"),
    ),
)

_STALL_DEFECTS = (
    Saboteur(
        name="stall-3s",
        family="stall",
        what="All I/O waits 3 s after the loss of an engine.",
        defect=lambda _: HoldsAtFailover(3.0),
        scenarios=("E1k",),
        caught_by=_in("E1k", _STALL),
    ),
    Saboteur(
        name="stall-40s",
        family="stall",
        what="All I/O waits 40 s after the loss of an engine.",
        defect=lambda _: HoldsAtFailover(40.0),
        scenarios=("E1k",),
        caught_by=_in("E1k", _STALL),
    ),
    Saboteur(
        name="stall-at-failback",
        family="stall",
        what="All I/O waits 3 s when an engine returns.",
        defect=lambda _: HoldsAtFailback(3.0),
        scenarios=("E1k",),
        caught_by=_in("E1k", "Longest stall after mending"),
    ),
    Saboteur(
        name="pause-in-peace",
        family="stall",
        what="All I/O waits 2 s four times a minute, without any fault.",
        defect=lambda _: Pauses(2.0, period_s=15.0),
        scenarios=("B0",),
        repeat=8,
        caught_by=_in("B0", "Longest stall without a fault"),
    ),
)

_REDUNDANCY_DEFECTS = (
    Saboteur(
        name="array-stays-out",
        family="redundancy",
        what="An array that came back is never used again.",
        defect=lambda places: LeavesArrayOut(_watch(places), places.detach[ARRAY]),
        scenarios=("A1",),
        caught_by=_in("A1", "Redundancy at the end"),
    ),
    Saboteur(
        name="path-stays-failed",
        family="redundancy",
        what="An engine that was lost once is never used again.",
        defect=lambda _: StaysAway(),
        scenarios=("E1k",),
        caught_by=_in("E1k", "Redundancy at the end"),
    ),
    Saboteur(
        name="claims-redundancy",
        family="honesty",
        what="The system says it is redundant while one array has long been left out.",
        around=Around(detached="B", claims_redundancy=True),
        scenarios=("B0",),
        caught_by=_in("B0", _EQUAL),
    ),
)

SABOTEURS = {
    one.name: one
    for one in (
        _CONTROL,
        *_DATA_DEFECTS,
        *_MIRROR_DEFECTS,
        *_ORDERING_DEFECTS,
        *_RESERVATION_DEFECTS,
        *_IDENTITY_DEFECTS,
        *_ANSWER_DEFECTS,
        *_STALL_DEFECTS,
        *_REDUNDANCY_DEFECTS,
    )
}


def saboteur_named(name: str) -> Saboteur:
    """Return a saboteur; raise KeyError with the names there are."""
    if name not in SABOTEURS:
        raise KeyError(f"no saboteur {name!r}; expected one of {', '.join(SABOTEURS)}")
    return SABOTEURS[name]
