"""Every planted bug is found, and every invariant is seen broken by one of them.

`simulate --bug NAME --count 1000` says how many seeds a bug takes. One needs a rare meeting of
faults and is given a plan of its own.
"""

import pytest

from reference_router.simulator.bugs import BUGS, COMPILED, planted
from reference_router.simulator.campaign import Order, run_plan, run_seeds
from reference_router.simulator.draw import FAMILIES
from reference_router.simulator.plan import Fault, Kind, Plan, Planned
from reference_router.simulator.violation import INVARIANTS
from reference_router.traffic import Traffic

pytestmark = pytest.mark.skipif(COMPILED, reason="bugs are planted in pure Python only")

SEEDS_MAX = 200
BREAKS = {
    "durable": "ack-after-one-leg",
    "converged": "no-repair",
    "linearizable": "read-any-leg",
    "no-stale-read": "promote-stale",
    "one-side": "no-fence",
    "native": "copy-shifted",
    "bounded": "drop-held",
}


def broken_by(bug):
    """Yield what each seed with the bug breaks. The witness is asked only when sites part."""
    families = ("site",) if bug.startswith("vote") else FAMILIES
    for first in range(0, SEEDS_MAX, 10):
        for outcome in run_seeds(Order(first=first, count=10, bug=bug, families=families)):
            yield outcome.invariant


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug != "read-for-ever"])
def test_is_found(bug):
    assert any(broken_by(bug)), f"not found in {SEEDS_MAX} seeds"


def late_reader(seed):
    """Return a plan: engine 1 stops; 2 goes on and drops leg B; 1 wakes with reads to do."""
    write = Planned(number=1, at_us=600_000, host=0, op="WRITE", lba=8, blocks=4, engine=2)
    reads = [
        Planned(number=2 + lba, at_us=700_000, host=1, op="READ", lba=8 + lba, blocks=1, engine=1)
        for lba in range(4)
    ]
    hang = Fault(at_us=100_000, kind=Kind.HANG, engine=1, for_us=800_000)
    error = Fault(at_us=500_000, kind=Kind.LEG_ERROR, leg=1, engine=2, for_us=300_000)
    return Plan(seed=seed, proof_of_death=False, operations=(write, *reads), faults=(hang, error))


def test_a_late_reader_is_found_out():
    """Without the bug its reads wait for a word of the peer, and are then refused."""
    plans = [late_reader(seed) for seed in range(8)]

    assert {run_plan(plan)[0].invariant for plan in plans} == {""}
    assert "no-stale-read" in {run_plan(plan, bug="read-for-ever")[0].invariant for plan in plans}


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_is_seen_broken(invariant):
    assert invariant in broken_by(BREAKS[invariant])


def test_a_bug_is_gone_when_its_run_is_over():
    before = Traffic.read_leg
    with planted("read-any-leg"):
        assert Traffic.read_leg is not before

    assert Traffic.read_leg is before
