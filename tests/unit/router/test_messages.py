"""What engines say survives the wire, and what is no message is refused."""

import pytest

from reference_router.messages import (
    PROTOCOL_VERSION,
    Available,
    Commit,
    Hello,
    HoldRegion,
    LegState,
    MessageError,
    Prepare,
    Prepared,
    RegionHeld,
    ReleaseRegion,
    Suspect,
    UnitState,
    Welcome,
    decode,
    encode,
)

STATES = (LegState.IN_SYNC, LegState.STALE)
UNIT = UnitState("lu0", 7, STATES, 3)


@pytest.mark.parametrize(
    "message",
    [
        Hello(
            version=PROTOCOL_VERSION,
            engine=1,
            config="abc",
            serving=True,
            serving_ms=12,
            may_cold_start=False,
            units=(UNIT,),
        ),
        Welcome((UNIT,)),
        Available("lu0", 1, True, "naa.6001405"),
        Suspect("lu0", 1, 7, "write: EIO"),
        Prepare("lu0", 8, STATES),
        Prepared("lu0", 8),
        Commit("lu0", 8, STATES),
        HoldRegion("lu0", 4),
        RegionHeld("lu0", 4),
        ReleaseRegion("lu0", 4),
    ],
    ids=lambda message: type(message).__name__,
)
def test_message_survives_the_wire(message):
    line = encode(message)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b'{"kind":"nonsense"}',
        b'{"kind":"prepared","unit":"lu0"}',
        b'{"kind":"prepare","unit":"lu0","epoch":1,"states":["perfect"]}',
    ],
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(MessageError, match="not a message"):
        decode(line)
