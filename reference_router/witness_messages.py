"""What an engine and the witness say to each other, and its wire form: JSON, strictly checked."""

import msgspec

from reference_router.messages import MessageError

WITNESS_VERSION = 1


class _Message(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """Base of all messages."""


class Greeting(_Message, frozen=True, tag="greeting", kw_only=True):
    """The first message of an engine. `config` is the digest that both engines have in common."""

    version: int
    engine: int
    config: str


class Welcome(_Message, frozen=True, tag="welcome"):
    """The witness's answer to a Greeting that is in order."""


class Refusal(_Message, frozen=True, tag="refusal"):
    """The witness's last message: it does not talk to this engine. `why` is for people."""

    why: str


class Claim(_Message, frozen=True, tag="claim", kw_only=True):
    """Engine: may I go on alone, with one leg in sync at least?

    `membership` is the epoch at which both engines became members: it is the same to both.
    `turn` comes back in the Ruling.
    """

    unit: str
    membership: int
    turn: int


class Waive(_Message, frozen=True, tag="waive", kw_only=True):
    """Engine: I have not gone on, and will not go on by what you ruled."""

    unit: str
    membership: int
    turn: int


class Ruling(_Message, frozen=True, tag="ruling", kw_only=True):
    """The witness's answer to a Claim or a Waive: who has its vote now, 0 for nobody."""

    unit: str
    turn: int
    holder: int
    membership: int


class Beat(_Message, frozen=True, tag="beat"):
    """Are you there? The witness sends it back as it is."""

    sent_ns: int


WitnessMessage = Greeting | Welcome | Refusal | Claim | Waive | Ruling | Beat
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[WitnessMessage] = msgspec.json.Decoder(WitnessMessage)


def encode(message: WitnessMessage) -> bytes:
    """Return the wire form of `message`."""
    return _ENCODER.encode(message)


def decode(body: bytes) -> WitnessMessage:
    """Return the message in `body`. Raises MessageError saying what is wrong with it."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(f"not a witness's message: {body[:200]!r}: {error}") from error
