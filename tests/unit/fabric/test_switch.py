"""Where frames go, and what cables do to them. Times are nanoseconds that the test chooses."""

import pytest

from certify.virtual_lab.fabric.cable import QUEUE_FRAMES_MAX, Condition, Way
from certify.virtual_lab.fabric.switch import FabricError, Switch

MS = 1_000_000
EVERYBODY = b"\xff" * 6
ADDRESS = {name: bytes([2, 0, 0, 0, 0, number]) for number, name in enumerate("abc", start=1)}


def frame(source, destination, text=b"hello"):
    to = EVERYBODY if destination is None else ADDRESS[destination]
    return to + ADDRESS[source] + b"\x08\x00" + text


@pytest.fixture
def switch():
    return Switch(["a", "b", "c"])


@pytest.fixture
def knowing(switch):
    """A switch that has heard everybody."""
    for name in ADDRESS:
        switch.receive(name, frame(name, None), 0)
    switch.deliver(0)
    return switch


def send(switch, source, destination, text=b"hello", *, at=0):
    switch.receive(source, frame(source, destination, text), at)


def texts(found):
    return [(node, one[14:]) for node, one in found]


class TestWhere:
    """Which node a frame goes to."""

    def test_an_unknown_destination_is_everybody_else(self, switch):
        send(switch, "a", "b")
        assert [node for node, _ in switch.deliver(0)] == ["b", "c"]

    def test_a_known_destination_is_one(self, knowing):
        send(knowing, "a", "b")
        assert knowing.deliver(0) == [("b", frame("a", "b"))]

    def test_a_broadcast_goes_to_everybody_else(self, knowing):
        send(knowing, "b", None)
        assert [node for node, _ in knowing.deliver(0)] == ["a", "c"]

    def test_what_is_for_its_own_sender_goes_nowhere(self, knowing):
        send(knowing, "a", "a")
        assert knowing.deliver(0) == []

    def test_an_address_that_moves_is_followed(self, knowing):
        knowing.receive("c", frame("b", "a"), 0)
        knowing.deliver(0)
        send(knowing, "a", "b")
        assert [node for node, _ in knowing.deliver(0)] == ["c"]

    def test_a_group_address_as_a_source_is_not_learnt(self, knowing):
        knowing.receive("c", ADDRESS["a"] + EVERYBODY + b"\x08\x00", 0)
        knowing.deliver(0)
        send(knowing, "a", None)
        assert [node for node, _ in knowing.deliver(0)] == ["b", "c"]

    def test_what_is_too_short_is_counted_and_dropped(self, switch):
        switch.receive("a", b"short", 0)
        assert switch.deliver(0) == []
        assert switch.malformed == 1
        assert switch.counters("a", Way.FROM_NODE).entered == 0


class TestCut:
    """A cable that is cut, one way or with frames on it."""

    def test_one_way_is_cut_and_the_other_is_not(self, knowing):
        knowing.set("b", Way.TO_NODE, Condition(cut=True))
        send(knowing, "a", "b")
        send(knowing, "b", "a")
        assert [node for node, _ in knowing.deliver(0)] == ["a"]
        assert knowing.counters("b", Way.TO_NODE).cut == 1
        assert knowing.counters("b", Way.FROM_NODE).cut == 0

    def test_a_frame_on_the_cable_is_lost_with_it(self, knowing):
        knowing.set("b", Way.TO_NODE, Condition(delay_ms=5))
        send(knowing, "a", "b")
        assert knowing.deliver(0) == []
        knowing.set("b", Way.TO_NODE, Condition(cut=True))
        assert knowing.deliver(5 * MS) == []
        assert knowing.counters("b", Way.TO_NODE).cut == 1

    def test_a_mended_cable_carries_again(self, knowing):
        knowing.set("a", Way.FROM_NODE, Condition(cut=True))
        send(knowing, "a", "b", b"lost")
        knowing.set("a", Way.FROM_NODE, Condition())
        send(knowing, "a", "b", b"seen")
        assert texts(knowing.deliver(0)) == [("b", b"seen")]


class TestDelay:
    """A cable that takes its time."""

    def test_both_ways_of_a_path_add_up(self, knowing):
        knowing.set("a", Way.FROM_NODE, Condition(delay_ms=2))
        knowing.set("b", Way.TO_NODE, Condition(delay_ms=3))
        send(knowing, "a", "b")
        assert knowing.next_due_ns == 2 * MS
        assert knowing.deliver(2 * MS) == []
        assert knowing.next_due_ns == 5 * MS
        assert knowing.deliver(5 * MS - 1) == []
        assert texts(knowing.deliver(5 * MS)) == [("b", b"hello")]
        assert knowing.next_due_ns is None

    def test_a_shorter_delay_overtakes_nothing(self, knowing):
        knowing.set("b", Way.TO_NODE, Condition(delay_ms=9))
        send(knowing, "a", "b", b"first")
        knowing.deliver(0)
        knowing.set("b", Way.TO_NODE, Condition())
        send(knowing, "c", "b", b"second")
        assert knowing.deliver(8 * MS) == []
        assert texts(knowing.deliver(9 * MS)) == [("b", b"first"), ("b", b"second")]

    def test_more_than_a_buffer_holds_is_dropped_and_counted(self, knowing):
        knowing.set("a", Way.FROM_NODE, Condition(delay_ms=1))
        for _ in range(QUEUE_FRAMES_MAX + 3):
            send(knowing, "a", "b")
        assert knowing.under_way("a", Way.FROM_NODE) == QUEUE_FRAMES_MAX
        assert knowing.counters("a", Way.FROM_NODE).overflowed == 3


class TestLoss:
    """A cable that loses frames by chance."""

    def fate(self, seed, loss):
        switch = Switch(["a", "b"], seed)
        switch.set("a", Way.FROM_NODE, Condition(loss=loss))
        for number in range(1000):
            switch.receive("a", frame("a", None, bytes([number % 256])), number)
        return [one[14:] for _, one in switch.deliver(1000)], switch.counters("a", Way.FROM_NODE)

    def test_a_share_is_lost_and_every_frame_accounted_for(self):
        arrived, counters = self.fate(1, 0.25)
        assert 200 <= counters.lost <= 300
        assert counters.entered == 1000 == counters.passed + counters.lost
        assert counters.passed == len(arrived)
        assert counters.octets == 15 * len(arrived)

    def test_the_same_seed_loses_the_same_frames(self):
        assert self.fate(7, 0.5)[0] == self.fate(7, 0.5)[0]
        assert self.fate(7, 0.5)[0] != self.fate(8, 0.5)[0]

    def test_nothing_and_everything(self):
        assert len(self.fate(1, 0.0)[0]) == 1000
        assert self.fate(1, 1.0)[0] == []


class TestRefusals:
    """What is not taken, and what cannot be."""

    def test_a_node_that_did_not_take_a_frame(self, knowing):
        before = knowing.counters("b", Way.TO_NODE).passed
        send(knowing, "a", "b")
        ((node, one),) = knowing.deliver(0)
        knowing.refused(node, one)
        counters = knowing.counters("b", Way.TO_NODE)
        assert (counters.passed, counters.overflowed) == (before, 1)

    @pytest.mark.parametrize(
        ("condition", "told"),
        [
            (Condition(loss=1.5), "a, to_node: loss: expected a share from 0 to 1, seen 1.5"),
            (Condition(loss=float("nan")), "a, to_node: loss: expected a share from 0 to 1, seen"),
            (Condition(delay_ms=-1), "a, to_node: delay_ms: expected 0 to 60000, seen -1"),
        ],
    )
    def test_what_a_cable_cannot_be(self, switch, condition, told):
        with pytest.raises(FabricError, match=told):
            switch.set("a", Way.TO_NODE, condition)
        assert switch.condition("a", Way.TO_NODE) == Condition()

    def test_an_unknown_node(self, switch):
        with pytest.raises(FabricError, match="node: expected one of a, b, c, seen 'd'"):
            switch.set("d", Way.TO_NODE, Condition())

    def test_two_nodes_of_one_name(self):
        with pytest.raises(FabricError, match="expected different names of nodes, seen a, a"):
            Switch(["a", "a"])
