"""Scripts of reservation commands do what they say against an array, whoever interferes."""

import pytest
from core_bench import CHECK, Array, key

from reference_router.commands import Outbox
from reference_router.keyring import Errand, Fate, Keyring
from reference_router.keys import Control, ControlOp, ControlResult, Key, Outcome

ERROR = ControlResult(outcome=Outcome.ERROR, why="no answer")
STRANGERS = 0xDEADBEEF
READ, REGISTER, PREEMPT = ControlOp.READ_KEYS, ControlOp.REGISTER, ControlOp.PREEMPT_AND_ABORT


class Bench:
    """Engine 1's keyring and two arrays. `registered` are keys on both of them, by engine."""

    def __init__(self, **registered: int) -> None:
        self.outbox = Outbox()
        self.keyring = Keyring("lu0", engine_id=1, check=CHECK, legs=2, outbox=self.outbox)
        self.arrays = [Array(), Array()]
        for array in self.arrays:
            array.keys = {int(engine[1:]): each for engine, each in registered.items()}
            array.reserved = 7 if registered else None
        self.keyring.registered = [registered.get("e1", 0)] * 2

    def issued(self) -> list[tuple[int, ControlOp]]:
        return [(each.leg, each.op) for each in self.outbox.controls]

    def do(self, control: Control | None = None) -> None:
        """Let the arrays do one command, the oldest if none is named."""
        control = control or self.outbox.controls[0]
        self.outbox.controls.remove(control)
        self.end(control, self.arrays[control.leg].control(1, control))

    def end(self, control: Control, result: ControlResult) -> None:
        self.keyring.control_done(control, result)

    def fail(self) -> None:
        self.end(self.outbox.controls.pop(0), ERROR)

    def finish(self, errand: Errand) -> dict[int, Fate]:
        while self.outbox.controls:
            self.do()
        assert errand.over
        return {leg: end.fate for leg, end in errand.ends.items()}

    def keys(self, leg: int = 0) -> dict[int, int]:
        return self.arrays[leg].keys


BOTH_DONE = {0: Fate.DONE, 1: Fate.DONE}


def test_survey_reads_the_keys_of_all_legs_at_once():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))

    errand = bench.keyring.survey((0, 1), 5)
    assert bench.issued() == [(0, READ), (1, READ)]

    assert bench.finish(errand) == BOTH_DONE
    assert errand.ends[1].keys == (key(1, 3), key(2, 3))
    assert errand.started_ns == 5


def test_leg_that_cannot_be_read_has_failed_and_says_why():
    bench = Bench()
    errand = bench.keyring.survey((0, 1), 0)

    bench.fail()

    assert bench.finish(errand) == {0: Fate.FAILED, 1: Fate.DONE}
    assert errand.ends[0].why == "no answer"


def test_record_changes_this_engines_key():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))

    errand = bench.keyring.record((0, 1), Key(engine=1, check=CHECK, epoch=4), 0)

    assert bench.finish(errand) == BOTH_DONE
    assert bench.keys() == {1: key(1, 4), 2: key(2, 3)}
    assert bench.keyring.registered == [key(1, 4)] * 2


def test_record_of_what_is_there_already_asks_nothing_of_the_array():
    bench = Bench(e1=key(1, 3))

    errand = bench.keyring.record((0, 1), Key(engine=1, check=CHECK, epoch=3), 0)

    assert (errand.over, bench.issued()) == (True, [])


def test_record_is_lost_if_this_engines_key_was_removed():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    del bench.keys(1)[1]

    errand = bench.keyring.record((0, 1), Key(engine=1, check=CHECK, epoch=4), 0)

    assert bench.finish(errand) == {0: Fate.DONE, 1: Fate.LOST}
    assert bench.keys(1) == {2: key(2, 3)}


def test_record_goes_on_from_a_command_that_was_given_up_and_took_effect_all_the_same():
    bench = Bench(e1=key(1, 3))
    first = bench.keyring.record((0,), Key(engine=1, check=CHECK, epoch=4), 0)
    late = bench.outbox.controls.pop()
    bench.arrays[0].control(1, late)  # done, but its answer is lost
    bench.end(late, ERROR)
    assert first.ends[0].fate is Fate.FAILED

    second = bench.keyring.record((0,), Key(engine=1, check=CHECK, epoch=5), 0)

    assert bench.finish(second) == {0: Fate.DONE}
    assert bench.keys() == {1: key(1, 5)}


def test_enrolment_registers_and_reserves():
    bench = Bench()

    errand = bench.keyring.enrol((0, 1), Key(engine=1, check=CHECK, epoch=0), 0, others=())

    assert bench.finish(errand) == BOTH_DONE
    assert (bench.keys(), bench.arrays[0].reserved) == ({1: key(1, 0)}, 7)


def test_enrolment_leaves_members_and_strangers_and_removes_other_engines():
    bench = Bench(e2=key(2, 3), e3=key(3, 3), e4=STRANGERS)

    errand = bench.keyring.enrol((0,), Key(engine=1, check=CHECK, epoch=0), 0, others=(1, 2))

    assert bench.finish(errand) == {0: Fate.DONE}
    assert bench.keys() == {1: key(1, 0), 2: key(2, 3), 4: STRANGERS}


def test_enrolment_takes_the_place_of_an_older_key_of_its_own():
    bench = Bench(e1=key(1, 2))

    errand = bench.keyring.enrol((0,), Key(engine=1, check=CHECK, epoch=0), 0, others=())

    assert bench.finish(errand) == {0: Fate.DONE}
    assert bench.keys() == {1: key(1, 0)}


def test_enrolment_under_another_type_of_reservation_has_failed():
    """A host wrote to the array directly and reserved it."""
    bench = Bench(e2=key(2, 3))
    bench.arrays[0].reserved = 5

    errand = bench.keyring.enrol((0,), Key(engine=1, check=CHECK, epoch=0), 0, others=(2,))

    assert bench.finish(errand) == {0: Fate.FAILED}
    assert "type 0x5" in errand.ends[0].why


def test_fence_removes_all_other_engines_leg_after_leg():
    bench = Bench(e1=key(1, 3), e2=key(2, 3), e3=key(3, 0))

    errand = bench.keyring.fence((0, 1), 0)
    while not errand.ends:
        assert {leg for leg, _ in bench.issued()} == {0}
        bench.do()

    assert bench.finish(errand) == BOTH_DONE
    assert bench.keys(0) == bench.keys(1) == {1: key(1, 3)}


def test_fence_ends_at_the_first_leg_where_this_engine_has_lost():
    """Who has lost removes nobody any more: else both could lose."""
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    del bench.keys(0)[1]

    errand = bench.keyring.fence((0, 1), 0)

    assert bench.finish(errand) == {0: Fate.LOST}
    assert bench.keys(1) == {1: key(1, 3), 2: key(2, 3)}


def test_fence_goes_on_behind_a_leg_that_does_not_answer():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    errand = bench.keyring.fence((0, 1), 0)

    bench.fail()

    assert bench.finish(errand) == {0: Fate.FAILED, 1: Fate.DONE}


def test_fence_looks_again_when_the_other_changes_its_key_meanwhile():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    errand = bench.keyring.fence((0,), 0)
    bench.do()
    assert bench.issued() == [(0, PREEMPT)]
    bench.keys()[2] = key(2, 3, holds=True)

    assert bench.finish(errand) == {0: Fate.DONE}
    assert bench.keys() == {1: key(1, 3)}


@pytest.mark.parametrize("takes", ["fence", "claim"])
def test_newest_epoch_never_leaves_an_array(takes):
    """Else nothing on it would tell any more that the other arrays are older."""
    bench = Bench(e1=key(1, 3), e2=key(2, 4, holds=True))
    seen = tuple(bench.keys().values())
    keyring = bench.keyring
    errand = keyring.fence((0,), 0) if takes == "fence" else keyring.claim({0: seen}, 0)
    while bench.outbox.controls:
        bench.do()
        assert max(each & 0xFFFFFFFF for each in bench.keys().values()) == 4

    assert errand.ends[0].fate is Fate.DONE
    assert bench.keys() == {1: key(1, 4, holds=True)}


def test_fence_is_lost_to_one_that_was_faster_by_one_command():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    errand = bench.keyring.fence((0,), 0)
    bench.do()
    del bench.keys()[1]

    assert bench.finish(errand) == {0: Fate.LOST}
    assert bench.keys() == {2: key(2, 3)}


def test_fence_uses_the_key_that_is_there_and_not_the_one_remembered():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    bench.keyring.registered = [key(1, 2)] * 2

    assert bench.finish(bench.keyring.fence((0, 1), 0)) == BOTH_DONE


def test_fence_does_not_try_for_ever():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    errand = bench.keyring.fence((0,), 0)
    for epoch in range(4, 50):
        if errand.over:
            break
        if bench.issued() == [(0, PREEMPT)]:
            bench.keys()[2] = key(2, epoch)
        bench.do()

    assert errand.ends[0].fate is Fate.FAILED
    assert "still change" in errand.ends[0].why


def test_claim_takes_legs_over_from_engines_that_were_seen():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    seen = tuple(bench.keys().values())

    errand = bench.keyring.claim({0: seen, 1: seen}, 0)

    assert bench.finish(errand) == BOTH_DONE
    assert bench.keys(0) == bench.keys(1) == {1: key(1, 3)}


def test_claim_of_a_virgin_leg_leaves_a_key_that_says_nothing():
    bench = Bench()

    assert bench.finish(bench.keyring.claim({0: ()}, 0)) == {0: Fate.DONE}
    assert (bench.keys(), bench.arrays[0].reserved) == ({1: key(1, 0)}, 7)


def test_claim_is_lost_if_another_engine_has_come_since():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))

    errand = bench.keyring.claim({0: (key(1, 3),)}, 0)

    assert bench.finish(errand) == {0: Fate.LOST}
    assert bench.keys() == {1: key(1, 3), 2: key(2, 3)}


def test_claim_is_lost_if_this_engines_key_was_removed_since():
    """An engine that went on without this one did so; registering anew would undo the fence."""
    bench = Bench(e2=key(2, 4))

    errand = bench.keyring.claim({0: (key(1, 3), key(2, 3))}, 0)

    assert bench.finish(errand) == {0: Fate.LOST}
    assert bench.keys() == {2: key(2, 4)}


def test_claim_that_comes_to_nothing_leaves_no_key_where_there_was_none():
    bench = Bench()
    errand = bench.keyring.claim({0: ()}, 0)
    bench.keys()[2] = key(2, 0)

    assert bench.finish(errand) == {0: Fate.LOST}
    assert bench.keys() == {2: key(2, 0)}


def test_clear_gives_the_array_back_to_its_owner():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))

    assert bench.finish(bench.keyring.clear((0,), 0)) == {0: Fate.DONE}
    assert (bench.keys(), bench.arrays[0].reserved) == ({}, None)
    assert bench.keyring.registered == [0, key(1, 3)]


def test_clear_with_a_key_that_is_gone_is_lost():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    del bench.keys()[1]

    assert bench.finish(bench.keyring.clear((0,), 0)) == {0: Fate.LOST}


# Errands


def test_one_command_at_a_time_is_under_way_on_a_leg():
    bench = Bench(e1=key(1, 3))
    first = bench.keyring.survey((0, 1), 0)

    second = bench.keyring.record((0,), Key(engine=1, check=CHECK, epoch=4), 0)

    assert bench.issued() == [(0, READ), (1, READ)]
    assert (bench.keyring.idle(0), list(second.waiting)) == (False, [0])
    assert bench.finish(second) == {0: Fate.DONE}
    assert first.over
    assert bench.keyring.idle(0)


def test_errand_that_was_dropped_ends_with_the_command_under_way():
    bench = Bench(e1=key(1, 3), e2=key(2, 3))
    dropped = bench.keyring.fence((0, 1), 0)
    bench.do()
    assert bench.issued() == [(0, PREEMPT)]

    bench.keyring.drop(dropped)
    bench.do()

    assert (bench.issued(), dropped.ends) == ([], {})


def test_errand_that_was_dropped_before_it_began_does_nothing():
    bench = Bench(e1=key(1, 3))
    bench.keyring.survey((0,), 0)
    waiting = bench.keyring.clear((0,), 0)

    bench.keyring.drop(waiting)
    while bench.outbox.controls:
        bench.do()

    assert (bench.keys(), waiting.ends) == ({1: key(1, 3)}, {})


def test_key_is_known_that_a_dropped_errand_has_set():
    bench = Bench(e1=key(1, 3))
    dropped = bench.keyring.record((0,), Key(engine=1, check=CHECK, epoch=4), 0)
    bench.keyring.drop(dropped)

    bench.do()

    assert bench.keyring.registered[0] == key(1, 4)


def test_leg_of_a_dropped_errand_is_free_only_when_its_command_has_ended():
    """A late command must not overtake the next errand's."""
    bench = Bench(e1=key(1, 3))
    bench.keyring.drop(bench.keyring.record((0,), Key(engine=1, check=CHECK, epoch=4), 0))

    errand = bench.keyring.record((0,), Key(engine=1, check=CHECK, epoch=5), 0)

    assert bench.issued() == [(0, REGISTER)]
    assert bench.finish(errand) == {0: Fate.DONE}
    assert bench.keys() == {1: key(1, 5)}


def test_end_of_a_command_that_nobody_waits_for_is_passed_over():
    bench = Bench(e1=key(1, 3))

    bench.end(Control("lu0", 0, REGISTER, key(1, 3), key(1, 9)), ERROR)

    assert bench.keyring.registered[0] == key(1, 3)


@pytest.mark.parametrize("failing", range(4))
def test_enrolment_fails_with_any_of_its_commands(failing):
    bench = Bench(e2=key(2, 3))
    bench.arrays[0].reserved = None
    errand = bench.keyring.enrol((0,), Key(engine=1, check=CHECK, epoch=0), 0, others=())
    for _ in range(failing):
        bench.do()

    bench.fail()

    assert errand.ends[0].fate is Fate.FAILED
    assert bench.issued() == []
