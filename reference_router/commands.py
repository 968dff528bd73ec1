"""What passes between the core and its shell: host commands, leg I/O, and the outbox. Pure."""

from typing import TYPE_CHECKING, Any

from reference_router.keys import Control
from reference_router.messages import Message
from reference_router.scsi import Op as Op
from reference_router.scsi import Response
from reference_router.witness_messages import WitnessMessage

if TYPE_CHECKING:
    from reference_router.traffic import Traffic


class LegIo:
    """One read or write of one leg. `buffer` belongs to the shell.

    `tried` has a bit for each leg that could not read this piece.
    """

    __slots__ = (
        "abandoned",
        "blocks",
        "buffer",
        "lba",
        "leg",
        "mirror",
        "owner",
        "submitted_ns",
        "tried",
        "write",
    )

    def __init__(
        self, mirror: "Traffic", leg: int, owner: "Command", write: bool, lba: int, blocks: int
    ) -> None:
        self.mirror = mirror
        self.leg = leg
        self.owner = owner
        self.write = write
        self.lba = lba
        self.blocks = blocks
        self.tried = 0
        self.submitted_ns = 0
        self.abandoned = False
        self.buffer: Any = None


class Command:
    """A command of a host, or a copy of the router's own.

    `token`, `buffer` (what is written) and `pieces` (what was read) belong to the shell. `host` is
    whose command it is. `response` None is GOOD. `answered` is set once the host has its answer
    while I/O is still under way.
    """

    __slots__ = (
        "answered",
        "arrived_ns",
        "behind",
        "blocks",
        "buffer",
        "compared",
        "elsewhere",
        "equal_at",
        "failures",
        "host",
        "lba",
        "locked",
        "op",
        "parts",
        "pieces",
        "pinned",
        "response",
        "source",
        "targets",
        "token",
        "writing",
    )

    def __init__(self, token: object, op: Op, lba: int, blocks: int, host: str = "") -> None:
        self.token: Any = token
        self.op = op
        self.lba = lba
        self.blocks = blocks
        self.host = host
        self.parts: dict[LegIo, int] = {}  # 0 under way, or the errno that it ended with
        self.pinned = 0  # regions of its span, from the first, that it holds leases of
        self.response: Response | None = None
        self.arrived_ns = 0
        self.answered = False
        self.behind = 0  # of a read: writes under way whose data it may have seen
        self.compared = False
        self.locked = False  # it has its range for itself, and the leases
        self.elsewhere: list[
            tuple[int, int, int]
        ] = []  # what a leg could not read: lba, blocks, tried
        self.equal_at = -1  # generation of the legs at which its blocks were made equal on all
        self.writing = False
        self.buffer: Any = None
        self.pieces: list[Any] = []
        self.source = -1  # of a copy
        self.targets: tuple[int, ...] = ()  # of a copy
        self.failures: dict[int, tuple[bool, int]] = {}  # of a copy: by leg, write or read, errno

    @property
    def exclusive(self) -> bool:
        """Tell whether it takes its range for itself."""
        return self.op >= Op.WRITE


class Outbox:
    """Where the core puts its actions; the shell empties it after each batch of events.

    `compares` are commands whose data was read: the shell compares it with what the host sent and
    calls `Mirror.compared`. `answers` are of service requests, by the token they came with.
    `changed` names units whose agreed state has changed.
    """

    __slots__ = (
        "answers",
        "changed",
        "compares",
        "completions",
        "controls",
        "leg_io",
        "messages",
        "notes",
        "refuse_link",
        "refuse_witness",
        "to_witness",
    )

    def __init__(self) -> None:
        self.leg_io: list[LegIo] = []
        self.controls: list[Control] = []
        self.compares: list[Command] = []
        self.completions: list[Command] = []
        self.messages: list[Message] = []
        self.answers: list[tuple[Any, Response]] = []
        self.changed: list[str] = []
        self.notes: list[str] = []
        self.refuse_link = ""
        self.to_witness: list[WitnessMessage] = []
        self.refuse_witness = ""
