"""A session gives the bodies that the peer sent, in order, unaltered, or says what is wrong."""

import contextlib
import itertools
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_router.frames import BODY_BYTES_MAX, NONCE_BYTES, TAG_BYTES, Codec, FrameError

KEY = b"k" * 32
HEADER_BYTES = 12
NONCES = (b"L" * NONCE_BYTES, b"D" * NONCE_BYTES)
BODIES = [b"", b"one", b"two" * 30]


def make(*, listens: bool, key: bytes = KEY, nonce: bytes | None = None, version: int = 2):
    nonce = nonce or NONCES[0 if listens else 1]
    return Codec(key, listens=listens, nonce=nonce, card=b"card", version=version)


def pair() -> tuple[Codec, Codec]:
    """Return both ends of an established session, the listener first."""
    ends = make(listens=True), make(listens=False)
    for _ in range(2):
        said = [end.output() for end in ends]
        assert ends[0].feed(said[1]) == ends[1].feed(said[0]) == []
    assert ends[0].established
    assert ends[1].established
    return ends


def stream_of(bodies: list[bytes]) -> bytes:
    """Return all that the dialer of a session says, from its nonce on."""
    listener, dialer = make(listens=True), make(listens=False)
    stream = dialer.output()
    dialer.feed(listener.output())
    listener.feed(stream)
    proof = dialer.output()
    dialer.feed(listener.output())
    return stream + proof + b"".join(dialer.seal(body) for body in bodies)


STREAM = stream_of(BODIES)


def feed_in_parts(codec: Codec, stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(stream)]
    return [
        body for start, stop in itertools.pairwise(edges) for body in codec.feed(stream[start:stop])
    ]


def test_bodies_go_both_ways():
    listener, dialer = pair()

    assert listener.feed(dialer.seal(b"a") + dialer.seal(b"")) == [b"a", b""]
    assert dialer.feed(listener.seal(b"b")) == [b"b"]


def test_proof_tells_the_card():
    listener, dialer = pair()

    assert listener.peer_card == dialer.peer_card == b"card"


def test_a_nonce_alone_establishes_nothing():
    """A stranger can send a nonce; only the proof shows the key."""
    listener = make(listens=True)
    listener.feed(make(listens=False).output())

    assert not listener.established
    with pytest.raises(FrameError, match="not established"):
        listener.seal(b"secret")


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_split_gives_the_same_bodies(cuts):
    assert feed_in_parts(make(listens=True), STREAM, cuts) == BODIES


def test_a_byte_at_a_time_gives_the_same_bodies():
    assert feed_in_parts(make(listens=True), STREAM, list(range(len(STREAM)))) == BODIES


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_bytes_are_bodies_or_a_frame_error(chunks):
    """Before a session: nothing but FrameError, and never a body."""
    codec = make(listens=True)
    try:
        assert [body for chunk in chunks for body in codec.feed(chunk)] == []
    except FrameError:
        assert not codec.established


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2))
def test_any_bytes_in_a_session_are_never_a_body(garbage, known):
    """`known` bytes of a right header come first, so that more than the magic is looked at."""
    listener, dialer = pair()
    head = dialer.seal(b"x")[: (0, 6, HEADER_BYTES)[known]]
    bodies: list[bytes] = []
    with contextlib.suppress(FrameError):
        bodies = listener.feed(head + garbage)

    assert bodies == []


@settings(deadline=None)  # a grown length means 8 MiB to check
@given(st.integers(0, len(STREAM) * 8 - 1))
def test_a_flipped_bit_anywhere_is_found(bit):
    """Bodies are right up to the flip. A length grown by it waits for bytes that end elsewhere."""
    altered = bytearray(STREAM)
    altered[bit // 8] ^= 1 << bit % 8
    codec = make(listens=True)
    bodies: list[bytes] = []
    try:
        for start in range(0, len(altered), 7):
            bodies += codec.feed(bytes(altered[start : start + 7]))
    except FrameError:
        pass
    else:
        assert codec.buffered_bytes > 0
        with pytest.raises(FrameError):
            codec.feed(bytes(BODY_BYTES_MAX + TAG_BYTES))
    assert bodies == BODIES[: len(bodies)]
    assert len(bodies) < len(BODIES)


def test_a_frame_that_comes_twice_is_found():
    listener, dialer = pair()
    frame = dialer.seal(b"a")
    assert listener.feed(frame) == [b"a"]

    with pytest.raises(FrameError, match="tag of frame 2"):
        listener.feed(frame)


def test_a_missing_frame_is_found():
    listener, dialer = pair()
    dialer.seal(b"lost")

    with pytest.raises(FrameError, match="tag of frame 1"):
        listener.feed(dialer.seal(b"a"))


def test_a_frame_that_comes_back_to_its_sender_is_found():
    _, dialer = pair()

    with pytest.raises(FrameError, match="tag of frame 1"):
        dialer.feed(dialer.seal(b"a"))


def test_a_stream_that_comes_back_from_the_start_is_found():
    dialer = make(listens=False)

    with pytest.raises(FrameError, match="this side's own"):
        dialer.feed(dialer.output())


def test_a_whole_session_played_again_is_found():
    """The listener's nonce is another one, so the old proof is worth nothing."""
    listener = make(listens=True, nonce=b"N" * NONCE_BYTES)

    with pytest.raises(FrameError, match="another link_key"):
        listener.feed(STREAM)


def test_another_key_is_found_before_anything_is_established():
    listener = make(listens=True, key=b"other" * 8)

    with pytest.raises(FrameError, match="another link_key"):
        listener.feed(STREAM)
    assert not listener.established


def test_two_dialers_do_not_understand_each_other():
    """The sides are part of the session's keys."""
    one, other = make(listens=False), make(listens=False, nonce=NONCES[0])
    one.feed(other.output())
    other.feed(one.output()[: HEADER_BYTES + NONCE_BYTES])

    with pytest.raises(FrameError, match="proof is wrong"):
        one.feed(other.output())


def test_another_version_is_told_as_such():
    with pytest.raises(FrameError, match="peer speaks link version 3, here 2"):
        make(listens=True).feed(make(listens=False, version=3).output())


def test_another_version_is_told_whatever_its_first_frame_is():
    with pytest.raises(FrameError, match="peer speaks link version 9, here 2"):
        make(listens=True).feed(b"ZSLF" + struct.pack(">HBBI", 9, 77, 1, 1 << 31))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"G", r"no frame: expected b'ZSLF', seen b'G'"),
        (b'{"kind":"hello"}', "no frame"),
        (b"ZSLF" + struct.pack(">HBBI", 2, 3, 0, 0), r"kind: expected 1 \(NONCE\) and 0, seen 3"),
        (b"ZSLF" + struct.pack(">HBBI", 2, 1, 7, 16), "seen 1 and 7"),
        (b"ZSLF" + struct.pack(">HBBI", 2, 1, 0, 17), "NONCE frame: expected 16 to 16 bytes"),
    ],
)
def test_what_is_no_frame_is_named_without_waiting_for_more(data, complaint):
    with pytest.raises(FrameError, match=complaint):
        make(listens=True).feed(data)


def test_a_length_beyond_the_limit_is_refused_before_it_is_kept():
    listener, _ = pair()
    header = b"ZSLF" + struct.pack(">HBBI", 2, 3, 0, BODY_BYTES_MAX + 1)

    with pytest.raises(FrameError, match=f"expected 0 to {BODY_BYTES_MAX} bytes"):
        listener.feed(header)
    assert listener.buffered_bytes == 0


def test_a_stranger_cannot_make_a_session_keep_much():
    listener = make(listens=True)
    listener.feed(make(listens=False).output())

    with pytest.raises(FrameError, match="PROOF frame: expected 0 to 256 bytes"):
        listener.feed(b"ZSLF" + struct.pack(">HBBI", 2, 2, 0, 257))


def test_a_body_beyond_the_limit_is_not_sent():
    listener, _ = pair()

    with pytest.raises(FrameError, match="expected at most"):
        listener.seal(bytes(BODY_BYTES_MAX + 1))


def test_the_largest_body_arrives():
    listener, dialer = pair()
    body = bytes(BODY_BYTES_MAX)

    assert listener.feed(dialer.seal(body)) == [body]


def test_a_broken_session_stays_broken():
    listener, dialer = pair()
    with pytest.raises(FrameError) as first:
        listener.feed(b"garbage")

    with pytest.raises(FrameError) as second:
        listener.feed(dialer.seal(b"a"))
    assert str(second.value) == str(first.value)
