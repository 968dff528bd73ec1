"""Which boxes a cluster has and how they are joined."""

import pytest

from certify.virtual_lab.boot import MEMORY_MIB, BootError
from certify.virtual_lab.cluster.machine import Machine, machine_of
from certify.virtual_lab.cluster.plan import Fabric, Plan, Role
from certify.virtual_lab.guest.settings import Membership


def test_a_cluster_has_two_arrays_two_engines_and_so_many_hosts():
    plan = Plan(3)

    assert [node.name for node in plan.nodes] == [
        *("array-a", "array-b", "engine1", "engine2", "host1", "host2", "host3")
    ]
    assert plan.hosts == ("host1", "host2", "host3")


def test_no_two_ports_have_one_address():
    nodes = Plan(10).nodes
    ports = [(node, fabric) for node in nodes for fabric in node.fabrics]

    for of in ("address", "mac"):
        seen = [getattr(node, of)(fabric) for node, fabric in ports]
        assert len(set(seen)) == len(seen)


def test_only_engines_have_the_link():
    assert Plan(2).on(Fabric.LINK) == ("engine1", "engine2")
    assert len(Plan(2).on(Fabric.A)) == 6


def test_the_witness_is_in_neither_site_if_there_is_a_third_host():
    assert [Plan(hosts).witness_host for hosts in (1, 2, 3, 10)] == [
        *("host1", "host1", "host3", "host3")
    ]


@pytest.mark.parametrize("hosts", [-1, 0, 11])
def test_a_number_of_hosts_that_cannot_be_is_refused(hosts):
    with pytest.raises(BootError, match=f"hosts: expected 1 to 10, seen {hosts}"):
        Plan(hosts)


def test_a_node_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(BootError, match=r"expected one of array-a, .*, host1, seen 'host2'"):
        Plan(1).node("host2")


def test_an_array_has_a_disk_and_all_nodes_have_a_cable_for_each_port(tmp_path):
    for node in Plan(2).nodes:
        machine = machine_of(Membership(node=node.name, hosts=2, cluster=str(tmp_path)))

        assert machine.memory_mib == node.memory_mib
        assert len(machine.cables) == len(node.fabrics)
        assert bool(machine.disks) == (node.role is Role.ARRAY)


def test_a_guest_that_is_a_lab_by_itself_has_neither():
    assert machine_of(None) == Machine(memory_mib=MEMORY_MIB, disks=(), cables=())
