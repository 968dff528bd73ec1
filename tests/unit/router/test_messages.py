"""What engines say survives the wire, and what is no message is refused, whatever it is."""

import types
import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_router.messages import (
    LegState,
    Message,
    MessageError,
    Prepare,
    UnitState,
    Want,
    decode,
    encode,
)

KINDS = typing.get_args(Message)
INTEGERS = st.integers(-(1 << 63), (1 << 64) - 1)  # what msgspec puts on the wire as a number


def any_of(kind: object) -> st.SearchStrategy:
    """Return values of a field's type: structures, tuples, optional and plain ones."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*map(any_of, arguments))
    if origin is tuple and arguments[-1] is not ...:
        return st.tuples(*map(any_of, arguments))
    if origin is tuple:
        return st.lists(any_of(arguments[0]), max_size=3).map(tuple)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = msgspec.structs.fields(kind)
        return st.builds(kind, **{field.name: any_of(field.type) for field in fields})
    if isinstance(kind, type) and issubclass(kind, tuple):
        return st.builds(kind, *map(any_of, typing.get_type_hints(kind).values()))
    return INTEGERS if kind is int else st.from_type(kind)


MESSAGES = st.sampled_from(KINDS).flatmap(any_of)


@given(MESSAGES)
def test_any_message_survives_the_wire(message):
    assert decode(encode(message)) == message


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_name_of_its_own_on_the_wire(kind):
    tag = kind.__struct_config__.tag

    assert [each for each in KINDS if each.__struct_config__.tag == tag] == [kind]


@given(MESSAGES, st.data())
def test_altered_message_is_another_one_or_refused(message, data):
    """Nothing but MessageError, whichever bytes are replaced, removed or put in."""
    body = encode(message)
    start = data.draw(st.integers(0, len(body)))
    stop = data.draw(st.integers(start, min(start + 8, len(body))))
    altered = body[:start] + data.draw(st.binary(max_size=8)) + body[stop:]
    try:
        seen = decode(altered)
    except MessageError:
        return
    assert isinstance(seen, KINDS)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(body):
    with pytest.raises(MessageError, match="not a message"):
        decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"kind":"nonsense"}',
        b'{"kind":"\xff"}',
        b'{"kind":"want","unit":"\xff","region":1}',
        b'{"kind":"want","unit":"\\ud800","region":1}',
        b'{"kind":"want","unit":"lu0"}',
        b'{"kind":"want","unit":"lu0","region":1,"more":1}',
        b'{"kind":"want","unit":"lu0","region":"1"}',
        b'{"kind":"want","unit":"lu0","region":1e400}',
        b'{"kind":"want","unit":"lu0","region":' + b"9" * 5000 + b"}",
        b'{"kind":"want","unit":"lu0","region":1}{}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(MessageError, match="not a message"):
        decode(body)


def test_state_of_a_leg_that_does_not_exist_is_refused():
    state = UnitState(epoch=1, states=(LegState.IN_SYNC,), members=(1,))
    body = encode(Prepare("lu0", state))

    with pytest.raises(MessageError, match="perfect"):
        decode(body.replace(b"in_sync", b"perfect"))


def test_complaint_about_a_long_body_is_short():
    with pytest.raises(MessageError) as caught:
        decode(encode(Want("u" * 100_000, 1))[:-1])

    assert len(str(caught.value)) < 500
