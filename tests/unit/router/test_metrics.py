"""Metrics keep to the text exposition format, and say what the status says."""

import re
import socket
import urllib.request

import pytest

from reference_router.metrics import LEG_STATES, parse_address, render
from reference_router.metrics_server import MetricsServer

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) (.+)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge)")
_SAMPLE = re.compile(rf"({_NAME})\{{(.*)\}} (-?\d+(?:\.\d+)?)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')
UNIT = {
    "phase": "serving",
    "epoch": 7,
    "members": [1, 2],
    "legs": {"A": "in_sync", "B": "resyncing"},
    "serves": True,
    "leases": 3,
    "leases_of_peer": 4,
    "repairs_left": 5,
    "dirty_regions": {"A": 0, "B": 6},
    "resync_left_bytes": 6 << 20,
    "resync_bytes_per_s": None,
    "read_repairs": 1,
}
DEAD = {
    "engine": "engine1",
    "pid": None,
    "exported": True,
    "tombstone": True,
    "restarts": 2,
    "hang_kills": 1,
    "ready": False,
}
ALIVE = {
    **DEAD,
    "pid": 7,
    "ready": True,
    "commands": 9,
    "peer_joined": True,
    "units": {"lu0": UNIT},
}


def parse(text):
    """Parse the format strictly: HELP, TYPE, then samples, each family once, no label set twice."""
    assert text.endswith("\n")
    families, samples, family = set(), {}, ""
    for line in text.splitlines():
        if found := _HELP.fullmatch(line):
            family = found[1]
            assert family not in families, "a family in two pieces"
            families.add(family)
        elif found := _TYPE.fullmatch(line):
            assert found[1] == family
            assert family.endswith("_total") == (found[2] == "counter")
        else:
            found = _SAMPLE.fullmatch(line)
            assert found, f"no sample: {line}"
            assert found[1] == family
            labels = _LABEL.findall(found[2])
            assert ",".join(f'{name}="{value}"' for name, value in labels) == found[2]
            key = (family, tuple(sorted(labels)))
            assert key not in samples, "a sample twice"
            samples[key] = float(found[3])
    return samples


def value(samples, name, **labels):
    """Return one sample of engine1."""
    return samples[f"zerostall_{name}", tuple(sorted({"engine": "engine1", **labels}.items()))]


def test_a_dead_engine_has_metrics_of_its_supervisor_only():
    samples = parse(render(DEAD))

    assert value(samples, "engine_up") == 0
    assert value(samples, "engine_tombstone") == 1
    assert value(samples, "engine_restarts_total") == 2
    assert {name.split("_")[1] for name, _ in samples} == {"engine"}


def test_a_serving_engine_has_metrics_of_its_units():
    samples = parse(render(ALIVE))

    assert value(samples, "engine_up") == 1
    assert value(samples, "commands_total") == 9
    assert value(samples, "unit_epoch", unit="lu0") == 7
    assert value(samples, "unit_leases", unit="lu0", holder="peer") == 4
    assert value(samples, "unit_resync_left_bytes", unit="lu0") == 6 << 20
    assert value(samples, "leg_dirty_regions", unit="lu0", leg="B") == 6


def test_a_leg_is_in_one_state():
    samples = parse(render(ALIVE))
    seen = {
        state: value(samples, "leg_state", unit="lu0", leg="B", state=state) for state in LEG_STATES
    }

    assert [state for state, each in seen.items() if each] == ["resyncing"]


def test_what_is_not_known_has_no_sample():
    names = {name for name, _ in parse(render(ALIVE))}

    assert "zerostall_unit_resync_bytes_per_second" not in names
    assert "zerostall_command_errors_total" not in names


def test_labels_are_escaped():
    samples = parse(render({**DEAD, "engine": 'a"b\\c\nd'}))

    assert {dict(labels)["engine"] for _, labels in samples} == {'a\\"b\\\\c\\nd'}


@pytest.mark.parametrize(
    "address", ["metrics.sock", "tcp:0.0.0.0:9000", "tcp:127.0.0.1:0", "tcp:[::2]:80", "tcp:80"]
)
def test_only_a_path_or_a_loopback_port_serves_metrics(address):
    with pytest.raises(ValueError, match="expected"):
        parse_address(address)


def test_metrics_are_served_on_a_socket_that_goes_with_its_server(tmp_path):
    path = tmp_path / "metrics.sock"
    server = MetricsServer(str(path), lambda: ALIVE)
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(path))
            peer.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            head, _, body = peer.makefile("rb").read().partition(b"\r\n\r\n")
    finally:
        server.close()

    assert head.startswith(b"HTTP/1.0 200 ")
    assert b"\r\nContent-Type: text/plain; version=0.0.4" in head
    assert body.decode() == render(ALIVE)
    assert not path.exists()


def test_metrics_are_served_on_a_loopback_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = MetricsServer(f"tcp:127.0.0.1:{port}", lambda: ALIVE)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            body = answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/other", timeout=5)
        refused.value.close()
    finally:
        server.close()

    assert body == render(ALIVE)
