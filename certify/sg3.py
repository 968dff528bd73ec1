"""sg3-utils as the independent witness: other people's code asks the same questions.

Its exit status and raw bytes are compared; its prose is kept as evidence and never parsed.
"""

import base64
import gzip
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from certify.lab import LabError
from fault_injectors import FaultError, LocalShell, Shell

TIMEOUT_S = 60.0
HEX_BYTES_MAX = 64
LINE_DATA_MAX = 4000
"""Characters of packed data that a line to be repeated by hand may have."""
OS_ERROR_BASE = 50


class Sg3Exit(IntEnum):
    """Exit status of the sg3-utils, sg3_utils(8)."""

    GOOD = 0
    SYNTAX_ERROR = 1
    NOT_READY = 2
    MEDIUM_OR_HARDWARE_ERROR = 3
    ILLEGAL_REQUEST = 5
    UNIT_ATTENTION = 6
    DATA_PROTECT = 7
    INVALID_OPERATION_CODE = 9
    COPY_ABORTED = 10
    ABORTED_COMMAND = 11
    STANDBY = 12
    UNAVAILABLE = 13
    MISCOMPARE = 14
    FILE_ERROR = 15
    ILLEGAL_REQUEST_WITH_INFORMATION = 17
    MEDIUM_OR_HARDWARE_ERROR_WITH_INFORMATION = 18
    NO_SENSE = 20
    RECOVERED_ERROR = 21
    LBA_OUT_OF_RANGE = 22
    RESERVATION_CONFLICT = 24
    CONDITION_MET = 25
    BUSY = 26
    TASK_SET_FULL = 27
    ACA_ACTIVE = 28
    TASK_ABORTED = 29
    CONTRADICTION = 31
    LOGIC_ERROR = 32
    TIME_OUT = 33
    TRANSPORT_ERROR = 35
    MALFORMED = 97
    OTHER_SENSE = 98
    OTHER = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """One command of sg3-utils and all it said."""

    argv: tuple[str, ...]
    exit_status: int
    stdout: str
    stderr: str

    @property
    def meaning(self) -> str:
        """The exit status in words."""
        return exit_name(self.exit_status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Everything the witness said of one device."""

    device: str
    commands: tuple[Witnessed, ...]

    @property
    def failed(self) -> tuple[Witnessed, ...]:
        """The commands that did not end well."""
        return tuple(one for one in self.commands if one.exit_status != Sg3Exit.GOOD)

    @property
    def text(self) -> str:
        """The transcript as a log file holds it."""
        parts = [
            f"$ {shlex.join(one.argv)}\n{one.stdout}{one.stderr}"
            f"exit status {one.exit_status} ({one.meaning})\n"
            for one in self.commands
        ]
        return "\n".join(parts)


def exit_name(status: int) -> str:
    """Return what an exit status of sg3-utils means."""
    try:
        return Sg3Exit(status).name.lower().replace("_", " ")
    except ValueError:
        pass
    if OS_ERROR_BASE < status < Sg3Exit.MALFORMED:
        return f"system error {status - OS_ERROR_BASE}"
    return "not listed in sg3_utils(8)"


def run(argv: Sequence[str], *, shell: Shell | None = None) -> Witnessed:
    """Run one tool; any exit status is an answer. Raises LabError when it cannot run or end."""
    try:
        completed = (shell or LocalShell()).run(argv, timeout_s=TIMEOUT_S, check=False)
    except FaultError as error:
        raise LabError(f"sg3-utils: {error}") from error
    return Witnessed(
        argv=tuple(argv),
        exit_status=completed.exit_status,
        stdout=completed.stdout,
        stderr=completed.stderr,
    )


def witness(device: str, *, shell: Shell | None = None) -> Transcript:
    """Ask a device who it is, how large, and whether it is ready; it is only read."""
    questions = (
        ("sg_turs", "--verbose", device),
        ("sg_inq", device),
        ("sg_vpd", "--page=sv", device),
        ("sg_vpd", "--page=di", device),
        ("sg_vpd", "--page=bl", device),
        ("sg_readcap", "--long", device),
    )
    return Transcript(device=device, commands=tuple(run(argv, shell=shell) for argv in questions))


def vpd_page(device: str, page: int, *, shell: Shell | None = None) -> bytes:
    """Return a VPD page as sg_vpd read it; raise LabError with its words if it did not."""
    argv = ("sg_vpd", "--hex", "--hex", "--hex", f"--page=0x{page:02x}", device)
    seen = run(argv, shell=shell)
    if seen.exit_status != Sg3Exit.GOOD:
        raise LabError(f"{shlex.join(argv)}: {seen.meaning}: {seen.stderr.strip()}")
    return bytes.fromhex(seen.stdout)


def repeat_line(device: str, cdb: bytes, *, data_in_length: int = 0, data_out: bytes = b"") -> str:
    """Return the line of a shell that repeats a CDB by hand, with the very data that was sent.

    Data that would make the line longer than LINE_DATA_MAX is left as a file to be named.
    """
    words = ["sg_raw"]
    if data_in_length:
        words.append(f"--request={data_in_length}")
    source = ""
    if data_out:
        words.append(f"--send={len(data_out)}")
        source = data_source(data_out)
        if not source:
            words.append("--infile=DATA")
    line = " ".join([*words, device, cdb.hex(" ")])
    return f"{source} | {line}" if source else line


def data_source(data: bytes) -> str:
    """Return a command of a shell that prints *data*, "" if it would be too long."""
    if len(data) <= HEX_BYTES_MAX:
        octal = "".join(f"\\{byte:03o}" for byte in data)
        return f"printf '{octal}'"
    if len(set(data)) == 1:
        zeros = f"head -c {len(data)} /dev/zero"
        return f"{zeros} | tr '\\0' '\\{data[0]:03o}'" if data[0] else zeros
    packed = base64.b64encode(gzip.compress(data, mtime=0)).decode("ascii")
    return f"echo {packed} | base64 -d | gunzip" if len(packed) <= LINE_DATA_MAX else ""
