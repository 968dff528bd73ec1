"""A cluster of guests: power that fails, cables that are cut, and an application that goes on."""

import time

import pytest

from certify.division import COMMON_BLOCKS
from certify.history import read_ios
from reports.folder import load_run
from reports.record import EventKind, IoOutcome
from tests.lab.support import assert_only_time_was_noticed, guest_processes

SCENARIOS = ("E3", "L3")
LOOK = "multipath -ll -v 2 | grep -c 'active ready running'"


@pytest.fixture(scope="module")
def lab(cli, need_uml):
    """A cluster with two hosts that stays up."""
    up = cli(
        *("lab", "up", "--topology", "cluster", "--hosts", "2", "--runs", str(cli.runs)),
        timeout_s=200,
    )
    assert up.returncode == 0, up.stderr
    yield cli
    down = cli("lab", "down")
    assert down.returncode == 0, down.stderr
    assert guest_processes() == []


@pytest.fixture(scope="module")
def run(lab):
    """The sealed run folder of what takes machines and switches of their own."""
    done = lab(
        *("run", "--destroy", "--topology", "cluster", "--no-conformance", "--profile", "full"),
        *("--repeat", "1", "--runs", str(lab.runs), "-k", " or ".join(SCENARIOS)),
        timeout_s=600,
    )
    assert (lab.latest / "manifest.json").exists(), done.stderr[-3000:]
    return load_run(lab.latest)


def on(lab, node, line):
    """Run a line of sh on a node; return what it printed."""
    done = lab("lab", "shell", "--node", node, "sh", "-c", line)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("host", ["host1", "host2"])
def test_every_host_has_two_paths_to_each_engine(lab, host):
    assert on(lab, host, LOOK) == str(3 * 4)


def test_every_box_is_a_kernel_of_its_own(lab):
    nodes = ("array-a", "array-b", "engine1", "engine2", "host1", "host2")
    line = "cat /proc/sys/kernel/hostname /proc/sys/kernel/random/boot_id"
    seen = [on(lab, node, line).split() for node in nodes]

    assert [name for name, _ in seen] == list(nodes)
    assert len({boot for _, boot in seen}) == len(nodes)


def test_nodes_reach_each_other_by_ssh(lab):
    assert on(lab, "host1", "ssh root@engine2 hostname") == "engine2"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_another_host_is_judged_beside_the_measuring_one(run, scenario):
    for judged in (one for one in run.judgement.scenarios if one.id == scenario):
        (host,) = judged.hosts
        assert (host.name, host.lost) == ("host2", "")
        assert host.stall_failover_ms > 0
        assert 0 < host.clock_error_ms < 1000


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_hosts_wrote_and_read_the_same_blocks(run, scenario):
    written, read = {}, {}
    for io in read_ios(run.folder, scenario, 1):
        host = "host2" if io.probe.startswith("host:host2-") else "host1"
        if io.outcome is IoOutcome.GOOD and io.probe.startswith(("app-", "host:")):
            kind = written if io.op == "write" else read
            kind.setdefault(host, set()).add(io.lba)

    assert len(written["host1"] & written["host2"]) >= COMMON_BLOCKS
    assert read["host2"] & (written["host1"] - written["host2"])
    assert read["host1"] & (written["host2"] - written["host1"])


def test_clocks_were_compared_before_and_after(run):
    for scenario in SCENARIOS:
        told = [
            event.data["when"]
            for event in run.events
            if (event.kind, event.scenario, event.repeat) == (EventKind.CLOCK, scenario, 1)
        ]
        assert told == ["before", "after"]


def test_nothing_is_left_on_the_other_host(run, lab):
    assert on(lab, "host2", "pgrep -fc 'exec[(]eval' || true") == "0"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_application_notices_more_than_time(run, scenario):
    assert_only_time_was_noticed(run, scenario)


def test_a_node_without_power_is_told_and_comes_back(lab):
    assert lab("lab", "power", "cut", "host2").returncode == 0
    assert lab("lab", "power", "is_off", "host2").returncode == 0
    shell = lab("lab", "shell", "--node", "host2", "true")
    assert shell.returncode == 4
    assert "host2 has no power; certify lab power on host2 gives it back" in shell.stderr
    assert lab("lab", "power", "on", "host2").returncode == 0
    deadline = time.monotonic() + 60
    while lab("lab", "power", "is_ready", "host2").returncode != 0:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert on(lab, "host2", LOOK) == str(3 * 4)
