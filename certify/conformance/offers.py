"""Which commands a device offers: what it tells, and what it does when it gets one.

Every row has a CDB that harms nothing: zero blocks, an empty list, or a key that nobody has. Rows
of PERSISTENT RESERVE OUT go with a parameter list. Nothing that formats or destroys is among them.
"""

from dataclasses import dataclass

from certify import cdb, reserve
from certify.cdb import Opcode
from certify.conformance.examiner import Examiner
from certify.reserve import InAction, OutAction
from certify.scsi import Completion, SenseKey, Status

NOBODYS_KEY = 0x6E6F626F64790000
OPTIONAL = "optional in SBC-4 and SPC-4, and not supported by the device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A command that a disk may have, and a harmless CDB of it."""

    name: str
    command: bytes
    has_action: bool = False
    mandatory: bool = False
    """SBC-4 and SPC-4 leave a direct access block device no choice."""
    data_out: bytes | None = None
    data_in_length: int = 0

    @property
    def opcode(self) -> int:
        """The operation code."""
        return self.command[0]

    @property
    def action(self) -> int:
        """The service action, 0 if the operation code has none."""
        return self.command[1] & 0x1F if self.has_action else 0

    def refused_by(self, answer: Completion) -> bool:
        """Tell whether an answer to `command` says that the device does not know it."""
        sense = answer.sense
        if answer.status != Status.CHECK_CONDITION or sense is None:
            return False
        if sense.key != SenseKey.ILLEGAL_REQUEST:
            return False
        if (sense.asc, sense.ascq) == (0x20, 0x00):
            return True
        wrong_action = (sense.asc, sense.ascq) == (0x24, 0x00) and sense.field_pointer in (None, 1)
        return self.has_action and wrong_action


def _out(action: OutAction) -> Offer:
    kind = reserve.Kind.WRITE_EXCLUSIVE
    typed = action in (
        OutAction.RESERVE,
        OutAction.RELEASE,
        OutAction.PREEMPT,
        OutAction.PREEMPT_AND_ABORT,
    )
    data = reserve.out_list(NOBODYS_KEY)
    if action is OutAction.REGISTER_AND_MOVE:
        data = reserve.move_list(NOBODYS_KEY, NOBODYS_KEY, 1, bytes((5, 0, 0, 20)) + bytes(20))
    if action is OutAction.REGISTER_AND_IGNORE:
        data = reserve.out_list()
    return Offer(
        name=f"PERSISTENT RESERVE OUT {action.name.replace('_', ' ')}",
        command=reserve.reserve_out(action, kind if typed else 0, list_length=len(data)),
        has_action=True,
        data_out=data,
    )


def _in(action: InAction) -> Offer:
    return Offer(
        name=f"PERSISTENT RESERVE IN {action.name.replace('_', ' ')}",
        command=reserve.reserve_in(action, 256),
        has_action=True,
        data_in_length=256,
    )


_TRANSFERS = (
    ("READ", cdb.read, (6, 10, 12, 16), (10, 16)),
    ("WRITE", cdb.write, (6, 10, 12, 16), ()),
    ("VERIFY", cdb.verify, (10, 12, 16), ()),
    ("WRITE AND VERIFY", cdb.write_and_verify, (10, 12, 16), ()),
)
OFFERS = (
    Offer(name="TEST UNIT READY", command=cdb.test_unit_ready(), mandatory=True),
    Offer(name="REQUEST SENSE", command=cdb.request_sense(0), mandatory=True),
    Offer(name="INQUIRY", command=cdb.inquiry(0), mandatory=True),
    Offer(name="MODE SELECT(6)", command=cdb.mode_select_6(0)),
    Offer(name="MODE SELECT(10)", command=cdb.mode_select_10(0)),
    Offer(name="MODE SENSE(6)", command=cdb.mode_sense_6(allocation_length=0)),
    Offer(name="MODE SENSE(10)", command=cdb.mode_sense_10(allocation_length=0)),
    Offer(name="START STOP UNIT", command=cdb.start_stop_unit()),
    Offer(name="RELEASE(6)", command=bytes((Opcode.RELEASE_6, 0, 0, 0, 0, 0))),
    Offer(
        name="READ CAPACITY(10)", command=cdb.read_capacity_10(), mandatory=True, data_in_length=8
    ),
    Offer(
        name="READ CAPACITY(16)",
        command=cdb.read_capacity_16(0),
        has_action=True,
        mandatory=True,
    ),
    *(
        Offer(name=f"{name}({width})", command=build(0, 0, width=width), mandatory=width in must)
        for name, build, widths, must in _TRANSFERS
        for width in widths
        if width != 6  # 0 is 256 blocks there
    ),
    Offer(name="COMPARE AND WRITE", command=cdb.compare_and_write(0, 0)),
    Offer(name="UNMAP", command=cdb.unmap(0)),
    Offer(name="SYNCHRONIZE CACHE(10)", command=cdb.synchronize_cache_10()),
    Offer(name="SYNCHRONIZE CACHE(16)", command=cdb.synchronize_cache_16()),
    Offer(name="REPORT LUNS", command=cdb.report_luns(16), mandatory=True, data_in_length=16),
    Offer(
        name="REPORT TARGET PORT GROUPS",
        command=cdb.report_target_port_groups(4),
        has_action=True,
        data_in_length=4,
    ),
    Offer(name="SET TARGET PORT GROUPS", command=cdb.set_target_port_groups(0), has_action=True),
    Offer(
        name="REPORT SUPPORTED OPERATION CODES",
        command=cdb.report_supported_operation_codes(allocation_length=4),
        has_action=True,
        data_in_length=4,
    ),
    *(_in(action) for action in InAction),
    *(_out(action) for action in OutAction),
)
"""WRITE SAME has no harmless CDB: zero blocks may mean all of them."""
BY_NAME = {one.name: one for one in OFFERS}


def offers(examiner: Examiner, name: str, *, clause: str, expected: str = "as offered") -> bool:
    """Tell whether the device knows a command; record NOT RUN under its name if it does not."""
    offer = BY_NAME[name]
    answer = examiner.send(
        offer.command, data_out=offer.data_out, data_in_length=offer.data_in_length
    )
    if not offer.refused_by(answer):
        return True
    examiner.not_run(name, clause=clause, expected=expected, reason=OPTIONAL)
    return False


def told(examiner: Examiner, opcode: int, action: int | None = None) -> bytes | None:
    """Return the CDB usage data that the device tells of a command, b"" if it says unsupported.

    None if the device does not say: REPORT SUPPORTED OPERATION CODES is optional.
    """
    option = 1 if action is None else 2
    command = cdb.report_supported_operation_codes(
        option, opcode, action or 0, allocation_length=64
    )
    got = examiner.send(command, data_in_length=64)
    if not got.is_good or len(got.data) < 4 or got.data[1] & 0x07 == 0:
        return None
    supported = got.data[1] & 0x07 in (3, 5)  # as the standard has it, or in a vendor's way
    return got.data[4 : 4 + int.from_bytes(got.data[2:4])] if supported else b""
