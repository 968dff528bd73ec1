"""Probes on other hosts, each a machine of its own, judged together with those of this one.

execnet starts them there over SSH. Such a host needs Python and Zerostall, and nothing runs there
longer than the connection lasts.

`worker` runs on the host, `remote` is the suite's end of it, `gateway` the connection, `messages`
what the two tell each other, `clock` how their clocks are compared.
"""

from certify.lab import Host, Lab, LogicalUnit


def remote_hosts(lab: Lab) -> list[Host]:
    """Return the hosts on machines of their own that see the load's unit, as the lab file says."""
    if "host" not in lab.lab.planes:
        return []
    seen_by = {name for unit in load_of(lab) for name in unit.also_on}
    return [host for host in lab.host if host.name in seen_by and is_remote(lab, host)]


def load_of(lab: Lab) -> list[LogicalUnit]:
    """Return the unit that the load is for; none if the lab file names none."""
    return [unit for unit in lab.logical_unit if unit.purpose == "load"][:1]


def is_remote(lab: Lab, host: Host) -> bool:
    """Say whether a host is another machine than the one that measures."""
    return host.reach != lab.host[0].reach
