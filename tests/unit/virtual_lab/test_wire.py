"""The messages between keeper, agent and CLI survive the wire; what is none is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.virtual_lab import wire


@given(argv=st.lists(st.text()), data=st.binary(max_size=2000), terminal=st.booleans())
def test_a_request_comes_back_as_it_was(argv, data, terminal):
    """Whatever the words of a command are, a line is one message."""
    request = wire.Request(op=wire.Op.RUN, id=3, argv=argv, data=wire.pack(data), terminal=terminal)

    line = wire.encode(request)

    assert line.count(b"\n") == 1
    assert wire.decode_request(line) == request
    assert wire.unpack(wire.decode_request(line).data) == data


@pytest.mark.parametrize(
    "line", [b"", b"Linux version 6.1", b'{"op":"fly"}', b'{"op":"run","color":1}', b"[]", b"\xff"]
)
def test_what_is_no_request_is_refused(line):
    """A kernel's console noise on the line must not be taken for a message."""
    with pytest.raises(msgspec.DecodeError):
        wire.decode_request(line)
