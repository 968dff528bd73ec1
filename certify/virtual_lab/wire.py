"""The words that keeper, guest agent and CLI exchange: JSON, one message a line.

A request names itself with `id`; every answer quotes it. The same messages travel over the
guest's serial line (keeper to agent) and over the keeper's Unix socket (CLI to keeper).
"""

import base64
from enum import StrEnum

import msgspec

LINE_LIMIT_BYTES = 1 << 20
"""A longer line is refused: it is not one of ours."""


class Op(StrEnum):
    """What the host asks of the guest."""

    RUN = "run"
    STDIN = "stdin"  # data; empty data is end of file
    RESIZE = "resize"
    KILL = "kill"
    POWER_OFF = "power_off"
    POWER_CUT = "power_cut"  # at once, as by a switch; of the nodes argv where there are several
    POWER_ON = "power_on"  # of the nodes argv; answered at once
    TOLD = "told"  # the answer to an ASK: data


class Kind(StrEnum):
    """What the guest tells the host."""

    STEP = "step"  # a step of the lab's start is done: text, seconds
    READY = "ready"
    FAILED = "failed"  # the lab could not be brought up: text
    ASK = "ask"  # what only the lab around the guest can do: data, a JSON list of words
    OUT = "out"
    ERR = "err"
    EXIT = "exit"


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Host to guest."""

    op: Op
    id: int = 0
    argv: list[str] = []
    env: dict[str, str] = {}
    cwd: str = "/"
    terminal: bool = False
    rows: int = 24
    columns: int = 80
    signal: int = 9
    data: str = ""  # base64


class Answer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Guest to host."""

    kind: Kind
    id: int = 0
    text: str = ""
    seconds: float = 0.0
    data: str = ""  # base64
    code: int = 0


_encoder = msgspec.json.Encoder()
_requests = msgspec.json.Decoder(Request)
_answers = msgspec.json.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    """Return *message* as one line."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request in *line*; raise msgspec.DecodeError when it is none."""
    return _requests.decode(line)


def decode_answer(line: bytes) -> Answer:
    """Return the answer in *line*; raise msgspec.DecodeError when it is none."""
    return _answers.decode(line)


def pack(data: bytes) -> str:
    """Return raw bytes as text that fits into a message."""
    return base64.b64encode(data).decode("ascii")


def unpack(data: str) -> bytes:
    """Undo `pack`; raise ValueError for text that is not base64."""
    return base64.b64decode(data, validate=True)
