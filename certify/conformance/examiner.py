"""One path under examination: send a command, compare with what the standard says, record it."""

from collections.abc import Callable
from dataclasses import dataclass

from certify import cdb, sg, sg3
from certify.conformance.expectation import GOOD, Expectation
from certify.devices import PathDevice
from certify.health import settle
from certify.inquiry import Page, page_body
from certify.scsi import Completion
from reports.record import AssertionRecord, Verdict

TIMEOUT_MS = 10_000
DATA_IN_BYTES = 1024

Record = Callable[[AssertionRecord], None]
"""Keeps a record; ends the test if its verdict is FAIL."""


RecordAll = Callable[[list[AssertionRecord]], None]
"""Keeps all records, then ends the test if the verdict of one is FAIL."""


Pattern = Callable[[int, int], bytes]
"""Makes that many blocks of so many bytes, unlike those of any other test."""


Keep = Callable[[str, str], None]
"""Keeps a text under a name beside the records, as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Blocks that belong to one test alone, whoever else runs at the same time."""

    lba: int
    blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformancePath:
    """A path to the logical unit that conformance tests may write to."""

    name: str
    host: str
    engine: str
    unit: str
    watched: bool
    """multipathd asks this path whether it is ready, and may be told a unit attention first."""
    sg: str
    wwid: str
    blocks: int
    block_bytes: int

    @classmethod
    def of(cls, device: PathDevice) -> "ConformancePath":
        """Return the path as the tests see it."""
        disk = device.disk
        return cls(
            name=device.path,
            host=device.host,
            engine=device.engine,
            unit=device.unit.name,
            watched=device.host == device.unit.host,
            sg=disk.sg_device,
            wwid=device.unit.wwid,
            blocks=disk.size_bytes // disk.block_bytes,
            block_bytes=disk.block_bytes,
        )

    @property
    def last_lba(self) -> int:
        """The last block of the logical unit."""
        return self.blocks - 1


class Examiner:
    """Asks one path and records each answer under one family."""

    def __init__(self, path: ConformancePath, descriptor: int, family: str, record: Record) -> None:
        self.path = path
        self._descriptor = descriptor
        self._family = family
        self._record = record
        self._sent: tuple[Completion | None, bytes] = (None, b"")

    def reset(self) -> None:
        """Send LOGICAL UNIT RESET; raise OSError if the path's driver cannot."""
        sg.reset_unit(self._descriptor)

    def settle(self) -> Completion:
        """Read away pending unit attentions; return the last answer to TEST UNIT READY."""
        return settle(self._descriptor)

    def send(
        self, command: bytes, *, data_out: bytes | None = None, data_in_length: int = 0
    ) -> Completion:
        """Send one command and record nothing."""
        completion = sg.execute(
            self._descriptor,
            command,
            data_out=data_out,
            data_in_length=data_in_length,
            timeout_ms=TIMEOUT_MS,
        )
        self._sent = completion, data_out or b""
        return completion

    def expect(
        self,
        name: str,
        command: bytes,
        expectation: Expectation = GOOD,
        *,
        clause: str,
        data_out: bytes | None = None,
        data_in_length: int = 0,
    ) -> Completion:
        """Send one command and record whether it ended as expected."""
        completion = self.send(command, data_out=data_out, data_in_length=data_in_length)
        self._note(
            name,
            clause=clause,
            command=command,
            expected=str(expectation),
            observed=str(completion),
            holds=expectation.met_by(completion),
            data_in_length=data_in_length,
            data_out=data_out or b"",
        )
        return completion

    def claim(
        self,
        name: str,
        holds: bool,
        *,
        clause: str,
        expected: str,
        observed: str,
        after: Completion | None = None,
    ) -> None:
        """Record whether something is true of an answer already there, that of *after*."""
        last, data_out = self._sent
        self._note(
            name,
            clause=clause,
            command=after.cdb if after else b"",
            expected=expected,
            observed=observed,
            holds=holds,
            data_in_length=len(after.data) + after.residual if after and after.data else 0,
            data_out=data_out if after is last else b"",
        )

    def not_run(self, name: str, *, clause: str, expected: str, reason: str) -> None:
        """Record that an assertion does not apply here, and why."""
        self._record(
            AssertionRecord(
                family=self._family,
                name=name,
                path=self.path.name,
                clause=clause,
                cdb="",
                expected=expected,
                observed="",
                repeat_with="",
                verdict=Verdict.NOT_RUN,
                reason=reason,
            )
        )

    def page(self, page: int) -> bytes:
        """Return a vital product data page whole, without recording it; raise ScsiError."""
        command = cdb.inquiry(DATA_IN_BYTES, page=page)
        return self.send(command, data_in_length=DATA_IN_BYTES).raise_for_status().data

    def supports(self, page: int) -> bool:
        """Tell whether page 00h lists *page*."""
        return page in page_body(self.page(Page.SUPPORTED), Page.SUPPORTED)

    def write(self, lba: int, data: bytes, *, width: int = 10) -> None:
        """Write blocks; raise ScsiError if that is not GOOD."""
        blocks = len(data) // self.path.block_bytes
        self.send(cdb.write(lba, blocks, width=width), data_out=data).raise_for_status()

    def read(self, lba: int, blocks: int, *, width: int = 10) -> bytes:
        """Read blocks; raise ScsiError if that is not GOOD."""
        command = cdb.read(lba, blocks, width=width)
        length = blocks * self.path.block_bytes
        return self.send(command, data_in_length=length).raise_for_status().data

    def _note(
        self,
        name: str,
        *,
        clause: str,
        command: bytes,
        expected: str,
        observed: str,
        holds: bool,
        data_in_length: int = 0,
        data_out: bytes = b"",
    ) -> None:
        repeat = sg3.repeat_line(
            self.path.sg, command, data_in_length=data_in_length, data_out=data_out
        )
        self._record(
            AssertionRecord(
                family=self._family,
                name=name,
                path=self.path.name,
                clause=clause,
                cdb=command.hex(" "),
                expected=expected,
                observed=observed,
                repeat_with=repeat if command else "",
                verdict=Verdict.PASS if holds else Verdict.FAIL,
            )
        )
