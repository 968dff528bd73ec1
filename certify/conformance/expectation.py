"""How a command is expected to end, by name."""

from dataclasses import dataclass

from certify.scsi import SENSE_NAMES, Completion, SenseKey, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A status and, for CHECK CONDITION, a sense key with any of some additional sense codes."""

    status: Status
    key: SenseKey | None = None
    codes: tuple[tuple[int, int], ...] = ()

    def met_by(self, completion: Completion) -> bool:
        """Tell whether *completion* is what was expected."""
        if not completion.reached_target or completion.status != self.status:
            return False
        if self.key is None:
            return True
        sense = completion.sense
        return (
            sense is not None
            and not sense.deferred
            and sense.key == self.key
            and (sense.asc, sense.ascq) in self.codes
        )

    def __str__(self) -> str:
        if self.key is None:
            return self.status.name.replace("_", " ")
        codes = " or ".join(
            f"{asc:02x}/{ascq:02x} ({SENSE_NAMES.get((asc, ascq), 'no name')})"
            for asc, ascq in self.codes
        )
        return f"CHECK CONDITION, {self.key.name.replace('_', ' ')} {codes}"


def _illegal(*codes: tuple[int, int]) -> Expectation:
    return Expectation(status=Status.CHECK_CONDITION, key=SenseKey.ILLEGAL_REQUEST, codes=codes)


def unit_attention(*codes: tuple[int, int]) -> Expectation:
    """Return the expectation of a unit attention with one of *codes*."""
    return Expectation(status=Status.CHECK_CONDITION, key=SenseKey.UNIT_ATTENTION, codes=codes)


GOOD = Expectation(status=Status.GOOD)
CONFLICT = Expectation(status=Status.RESERVATION_CONFLICT)
INVALID_OPCODE = _illegal((0x20, 0x00))
INVALID_FIELD = _illegal((0x24, 0x00))
INVALID_SERVICE_ACTION = _illegal((0x20, 0x00), (0x24, 0x00))
"""SPC-6 lets a device server say either for a service action that it does not know."""
LBA_OUT_OF_RANGE = _illegal((0x21, 0x00))
LIST_LENGTH_ERROR = _illegal((0x1A, 0x00))
CUT_LIST = _illegal((0x1A, 0x00), (0x24, 0x00), (0x26, 0x00))
"""Of a parameter list that ends too soon, where the standard does not say which code it is."""
INVALID_PARAMETER = _illegal((0x26, 0x00))
INVALID_RELEASE = _illegal((0x26, 0x04))
SAVING_NOT_SUPPORTED = _illegal((0x39, 0x00))
MISCOMPARE = Expectation(
    status=Status.CHECK_CONDITION, key=SenseKey.MISCOMPARE, codes=((0x1D, 0x00),)
)
STANDBY = Expectation(status=Status.CHECK_CONDITION, key=SenseKey.NOT_READY, codes=((0x04, 0x0B),))
