"""What an engine says of itself is what is so: whom it waits for, what it serves, what is left."""

import errno
from types import SimpleNamespace

import msgspec
import pytest
from core_bench import STALE, Bench, alone, pair
from test_config import EXAMPLE

from reference_router.commands import Op
from reference_router.config import load_config
from reference_router.messages import LegState
from reference_router.ports import Ports
from reference_router.status import status_of

SLOW = 8 * 512 * 10  # bytes per second: a region in 100 ms


def status(bench: Bench, engine: int = 1, *, refusal: str = "", rings: bool = True) -> dict:
    """Return the status of an engine, with a ring or none."""
    config = load_config(EXAMPLE)
    table = config.engine_named(f"engine{engine}")
    cluster = bench.nodes[engine].cluster
    ports = Ports(config, table, sizes={"lu0": 64 * 512}, cluster=cluster)
    ports.set_readiness()
    back = SimpleNamespace(probes=[SimpleNamespace(device=SimpleNamespace(refusal=refusal))])
    fronts = [SimpleNamespace(commands=3, errors=1), SimpleNamespace(commands=4, errors=0)]
    return status_of(cluster, ports, back, fronts=fronts if rings else [])


def unit(bench: Bench, engine: int = 1) -> dict:
    return status(bench, engine)["units"]["lu0"]


def test_status_is_plain_values():
    """It goes to a file and over a socket as JSON."""
    assert msgspec.json.decode(msgspec.json.encode(status(pair())))["role"] == "leader"


def test_two_that_serve_are_leader_and_follower():
    bench = pair()

    for engine, role in ((1, "leader"), (2, "follower")):
        found = status(bench, engine)
        assert (found["role"], found["peer_joined"], found["serving"]) == (role, True, True)
        assert unit(bench, engine)["members"] == [1, 2]


def test_engine_alone_has_no_peer():
    found = status(alone())

    assert (found["role"], found["peer_joined"], found["serving"]) == ("leader", False, True)


def test_engine_without_rings_serves_nobody():
    found = status(alone(), rings=False)

    assert (found["serving"], found["units"]["lu0"]["serves"]) == (False, True)


def test_commands_and_errors_of_all_rings_are_added():
    found = status(alone())

    assert (found["commands"], found["command_errors"]) == (7, 1)


def test_engine_that_waits_for_an_operator_says_why():
    bench = Bench(1)
    bench.run(500)

    found = status(bench)
    assert (found["role"], found["waits_for_operator"]) == ("waiting", True)
    assert "nobody has said that the legs are equal" in unit(bench)["why"]
    assert (unit(bench)["phase"], unit(bench)["serves"]) == ("starting", False)


def test_engine_that_waits_for_a_leg_needs_no_operator():
    bench = Bench()
    bench.arrays[0].silent = True
    bench.start(1, cold_start=True)
    bench.run(500)

    assert not status(bench)["waits_for_operator"]
    assert unit(bench)["why"] == "cannot read the keys of A"


def test_leg_that_is_refused_is_named():
    assert status(alone(), refusal="/dev/x: too small")["refused"] == ["/dev/x: too small"]


def dropped(bench: Bench, *, error: int = errno.EIO) -> Bench:
    bench.arrays[1].error = error
    bench.write(1, 3, "x")
    bench.until(lambda: bench.unit(1).state.states[1] is STALE)
    return bench


@pytest.mark.parametrize(
    ("prepare", "word"),
    [
        (lambda bench: None, LegState.IN_SYNC),
        (dropped, LegState.ABSENT),
        (lambda bench: bench.nodes[1].cluster.manage("lu0", 1, attach=False), "detached"),
    ],
)
def test_leg_is_shown_as_it_is(prepare, word):
    bench = alone()
    prepare(bench)
    bench.run(40)

    assert unit(bench)["legs"]["B"] == word


def test_leg_without_keys_is_shown_as_blank():
    bench = dropped(alone())
    bench.arrays[1].keys, bench.arrays[1].error = {}, 0
    bench.run(1000)

    assert unit(bench)["legs"]["B"] == "blank"


def test_resync_says_how_far_it_is():
    bench = dropped(alone(rate_bytes_per_s=SLOW))
    for region in range(5):
        bench.write(1, 8 * region, "x")
    bench.run()
    assert unit(bench)["dirty_regions"] == {"A": 0, "B": 5}
    assert unit(bench)["resync_left_regions"] is None
    bench.arrays[1].error = 0
    bench.until(lambda: len(bench.unit(1).mirror.dirty[1]) == 2)

    found = unit(bench)
    assert (found["resync_left_regions"], found["resynced_regions"]) == (2, 6)
    assert (found["regions"], found["region_bytes"]) == (8, 4096)


def test_leases_and_repairs_are_counted():
    bench = pair(rate_bytes_per_s=SLOW)
    bench.write(1, 3, "x")
    bench.write(2, 20, "x")
    bench.write(2, 30, "x")
    bench.run()
    assert (unit(bench)["leases"], unit(bench)["leases_of_peer"]) == (1, 2)

    bench.kill(2)
    bench.run()

    assert 1 <= unit(bench)["repairs_left"] <= 2


def test_read_repairs_are_counted():
    bench = alone()
    bench.arrays[0].bad.add(3)
    bench.write(1, 4, "x")
    bench.submit(1, Op.READ, 3)
    bench.run(40)

    assert unit(bench)["read_repairs"] == 1
