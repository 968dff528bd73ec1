"""Bring one node of a cluster up inside its guest: an array, an engine or a host."""

from certify.virtual_lab import layout
from certify.virtual_lab.cluster.plan import Plan, Role
from certify.virtual_lab.guest.cluster import array, engine, host, network
from certify.virtual_lab.guest.settings import Membership, Settings
from certify.virtual_lab.guest.steps import Report, step

_ROLES = {Role.ARRAY: array.bring_up, Role.ENGINE: engine.bring_up, Role.HOST: host.bring_up}


def bring_up(chosen: Settings, member: Membership, report: Report) -> None:
    """Bring the node up; *report* gets each step and its seconds. Raises BringUpError.

    Nodes start side by side: each waits for what it needs of the others.
    """
    plan = Plan(member.hosts)
    node = plan.node(member.node)
    layout.RUN.mkdir(parents=True)
    with step("network and disk", report):
        network.join(plan, node, member)
    _ROLES[node.role](chosen, member, report)
