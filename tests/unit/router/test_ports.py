"""What hosts see of a planned stop: a unit attention first, then NOT READY."""

from core_bench import Bench, alone
from scsi_target import execute, sense_of
from test_config import EXAMPLE

from reference_router.config import load_config
from reference_router.ports import Ports

READ = "28 00 00 00 00 00 00 00 01 00"
ACCESS_STATE_CHANGED, PORT_UNAVAILABLE = (6, 0x2A, 6), (2, 4, 0xC)


def ports_of(bench: Bench) -> Ports:
    config = load_config(EXAMPLE)
    ports = Ports(config, config.engine[0], sizes={"lu0": 64 * 512}, cluster=bench.nodes[1].cluster)
    ports.set_readiness()
    return ports


def test_a_planned_stop_is_told_once_and_then_nothing_is_served():
    ports = ports_of(alone())
    server = ports.servers["lu0"]
    ports.stop()

    seen = [sense_of(execute(READ, server, host="host1")) for _ in range(3)]

    assert seen == [ACCESS_STATE_CHANGED, PORT_UNAVAILABLE, PORT_UNAVAILABLE]


def test_a_host_can_still_look_at_a_port_that_stops():
    ports = ports_of(alone())
    ports.stop()

    assert execute("12 00 00 00 24 00", ports.servers["lu0"], host="host1").sense == b""
