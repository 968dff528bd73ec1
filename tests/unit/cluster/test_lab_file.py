"""The lab file of a cluster is one that the suite takes, and runs what takes gear."""

from pathlib import Path

import msgspec

from certify.hosts import remote_hosts
from certify.lab import load_lab
from certify.scenarios import site_failure, tie_break_lost
from certify.scenarios.profiles import GEAR
from certify.virtual_lab import layout
from certify.virtual_lab.cluster.plan import ARRAYS, ENGINES, Fabric, Plan
from certify.virtual_lab.guest.cluster.host import Found
from certify.virtual_lab.guest.cluster.lab_file import lab_of
from certify.virtual_lab.guest.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


def lab(hosts=2):
    chosen = Settings(kernel="uml", target="reference-router", python="python3", share="/runs")
    found = Found(
        paths={
            (engine, fabric): f"{number}:0:0"
            for number, (engine, fabric) in enumerate(
                (engine, fabric) for engine in ENGINES for fabric in (Fabric.A, Fabric.B)
            )
        },
        leg_wwids={
            (array, unit.name): f"3600140500000{array}{unit.lun}"
            for array in ARRAYS
            for unit in layout.LOGICAL_UNITS
        },
        control_wwid="36001405cc",
    )
    return lab_of(chosen, Plan(hosts), found)


def test_it_is_one_that_the_suite_takes(tmp_path):
    path = tmp_path / "lab.toml"
    path.write_bytes(msgspec.toml.encode(lab()))

    assert load_lab(path) == lab()


def test_it_has_means_for_what_takes_gear():
    assert {means.scenario for means in lab().means} >= GEAR


def test_a_site_has_a_host_where_the_measuring_one_is_not_alone():
    def site(hosts):
        (means,) = [one for one in lab(hosts).means if one.scenario == "D4"]
        return means.subject

    assert (site(1), site(2)) == ("engine1 and array-a", "engine1 and array-a and host2")


def test_every_other_host_probes_with_the_python_and_the_modules_of_the_lab():
    found = remote_hosts(lab(3))

    assert [(host.name, host.reach) for host in found] == [
        ("host2", "ssh:root@host2"),
        ("host3", "ssh:root@host3"),
    ]
    for host in found:
        environment, *words, python = host.python
        assert (environment, python) == ("env", "python3")
        assert f"PYTHONPATH={ROOT}" in words


def test_a_host_that_loses_its_power_with_a_site_may_be_lost():
    plan = site_failure.SCENARIO.plan(lab(3), repeats=1)

    assert (plan.hosts, plan.hosts_lost) == (["host2", "host3"], ["host2"])


def test_witness_is_lost_where_it_runs_and_the_link_is_cut_after_it():
    for hosts, reach in ((2, "local"), (3, "ssh:root@host3")):
        broken = tie_break_lost.SCENARIO.schedule(lab(hosts), seed=1)

        assert [(step.fault.kind, step.reach) for step in broken.steps] == [
            ("command", reach),
            ("link_cut", "local"),
        ]
        assert [step.at_s for step in broken.steps] == [0.0, 3.0]
