"""Plans: the same from the same seed, kept in files, and made smaller."""

import msgspec
import pytest

from reference_router.simulator.draw import FAMILIES, draw
from reference_router.simulator.plan import Kind, PlanError, load, save
from reference_router.simulator.shrink import shrink


def test_a_seed_always_gives_the_same_plan():
    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_without_families_there_are_no_faults():
    assert draw(7, ()).faults == ()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_faults(family):
    assert draw(7, (family,)).faults


def test_every_kind_of_fault_is_drawn():
    kinds = {fault.kind for seed in range(200) for fault in draw(seed).faults}

    assert kinds == set(Kind)


def test_an_unknown_family_is_named():
    with pytest.raises(ValueError, match="no such faults: flood"):
        draw(7, ("flood",))


def test_operations_are_numbered_in_time():
    operations = draw(7).operations

    assert [each.number for each in operations] == list(range(1, len(operations) + 1))
    assert [each.at_us for each in operations] == sorted(each.at_us for each in operations)


def test_a_plan_survives_a_file(tmp_path):
    path = tmp_path / "plan.json"
    save(draw(7), path)

    assert load(path) == draw(7)


def test_a_file_that_is_no_plan_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text('{"seed": "seven"}')

    with pytest.raises(PlanError, match="not a plan"):
        load(path)


def test_shrinking_leaves_what_is_needed():
    plan = draw(11)
    needed = plan.operations[3], plan.operations[-2]
    fault = plan.faults[0]

    def fails(candidate):
        return fault.kind in {each.kind for each in candidate.faults} and all(
            each in candidate.operations for each in needed
        )

    least = shrink(plan, fails)

    assert least.operations == needed
    assert [each.kind for each in least.faults] == [fault.kind]


def test_shrinking_what_always_fails_leaves_nothing():
    least = shrink(draw(11), lambda _: True)

    assert least == msgspec.structs.replace(draw(11), faults=(), operations=())
