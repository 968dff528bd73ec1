"""What hosts are told by an engine that does not serve: wait here, or take the other path."""

from core_bench import Bench, alone, pair
from test_config import EXAMPLE

from reference_router.config import load_config
from reference_router.ports import Ports
from reference_router.scsi import BECOMING_READY, TARGET_PORT_UNAVAILABLE, Sense
from reference_router.unit import Phase


def told(bench: Bench, engine: int) -> Sense | None:
    """Return why an engine says that it is not ready."""
    config = load_config(EXAMPLE)
    table = config.engine_named(f"engine{engine}")
    cluster = bench.nodes[engine].cluster
    ports = Ports(config, table, sizes={"lu0": 64 * 512}, cluster=cluster)
    ports.set_readiness()
    return ports.servers["lu0"].not_ready


def test_one_that_serves_is_ready():
    assert told(alone(), 1) is None


def test_one_that_has_not_served_yet_is_becoming_ready():
    """A host that scans a new disk waits for it, and finds its size."""
    assert told(Bench(1), 1) == BECOMING_READY


def test_one_that_was_fenced_is_unavailable():
    """The host is to take the other path at once, not to try this one again."""
    bench = pair()
    bench.cut()
    bench.until(lambda: any(bench.unit(each).phase is Phase.STARTING for each in (1, 2)))
    (loser,) = (each for each in (1, 2) if bench.unit(each).phase is Phase.STARTING)

    assert told(bench, loser) == TARGET_PORT_UNAVAILABLE
