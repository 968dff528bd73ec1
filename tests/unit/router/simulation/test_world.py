"""The core under random faults breaks no invariant; a run is the same each time, in any process."""

import os
import subprocess
import sys

import pytest

from reference_router.simulator.campaign import run_plan
from reference_router.simulator.draw import draw
from reference_router.simulator.plan import Fault, Kind, Plan
from reference_router.simulator.story import outline, tell

SEEDS_EACH = 40
GROUPS = 8


@pytest.mark.parametrize("group", range(GROUPS))
def test_no_invariant_is_broken(group):
    """A few hundred seeds with all faults; `simulate --count 100000` does more of the same."""
    for seed in range(group * SEEDS_EACH, (group + 1) * SEEDS_EACH):
        outcome, _ = run_plan(draw(seed))
        assert (outcome.invariant, outcome.text) == ("", ""), f"simulate --seed {seed}"


def test_every_operation_comes_to_its_end():
    outcome, world = run_plan(draw(3, ()))

    assert outcome.operations == len(world.plan.operations)
    assert not world.registrations.open
    assert all(operation.over for operation in world.hosts.operations)


def test_the_same_plan_runs_the_same_way():
    first, second = (run_plan(draw(5))[0] for _ in range(2))

    assert first == second


def test_other_seeds_run_otherwise():
    assert run_plan(draw(5))[0].digest != run_plan(draw(6))[0].digest


def test_another_process_runs_the_same_way():
    """Nothing depends on the order of sets or on addresses."""
    program = (
        "from reference_router.simulator.campaign import run_plan\n"
        "from reference_router.simulator.draw import draw\n"
        "print(*(run_plan(draw(seed))[0].digest for seed in range(12)))\n"
    )
    digests = [
        subprocess.run(
            (sys.executable, "-c", program),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            text=True,
            timeout=60,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert digests[0] == digests[1]
    assert digests[0].split() == [run_plan(draw(seed))[0].digest for seed in range(12)]


def test_keeping_the_trace_changes_nothing():
    assert run_plan(draw(5))[0] == run_plan(draw(5), keep_trace=True)[0]


def test_a_story_tells_of_faults_and_of_who_serves():
    fault = Fault(at_us=50_000, kind=Kind.CRASH, engine=1, for_us=100_000)
    plan = Plan(seed=1, proof_of_death=True, operations=(), faults=(fault,))
    _, world = run_plan(plan, keep_trace=True)

    text = "\n".join((*outline(plan), *tell(world.trace)))

    assert "fault at 50.0 ms: crash engine 1 for 100.0 ms" in text
    assert "=== FAULT crash engine 1 for 100.0 ms" in text
    assert "*** engine 1: die (crash)" in text
    assert "engine 2 is at epoch 3: A in_sync, B in_sync; members (2,)" in text
