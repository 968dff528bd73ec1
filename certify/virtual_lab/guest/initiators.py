"""iSCSI initiators of the guest's hosts: open-iscsi, a session per host and engine.

All hosts are one kernel; each is an initiator by its iSCSI name, which an "interface" of
open-iscsi carries. A disk's address is known from its session before the disk is looked for, so
the disks of hosts without multipath are hidden in time.
"""

from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden, open_iscsi

AUTHORITY = "iqn.2026-11.org.zerostall"
TARGET_NAME = f"{AUTHORITY}:router"
CHAP_USER = "lab"
CHAP_SECRET = "known to all"  # noqa: S105 - of hosts and engines of one lab
SETTINGS = {
    **open_iscsi.SETTINGS,
    "node.session.auth.authmethod": "CHAP",
    "node.session.auth.username": CHAP_USER,
    "node.session.auth.password": CHAP_SECRET,
}
"""Of a host; engines and arrays know each other by name only."""


def name(host: str) -> str:
    """Return the initiator name of a host."""
    return f"{AUTHORITY}:{host}"


def address(engine: str, host: str) -> str:
    """Return where an engine listens for a host: an address of the loopback device of its own."""
    return f"127.0.{1 + layout.HOSTS.index(host)}.{1 + layout.ENGINES.index(engine)}"


def portal(engine: str, host: str) -> str:
    """Return the same with iSCSI's port."""
    return f"{address(engine, host)}:3260"


def start() -> None:
    """Start open-iscsi's daemon, and make an interface for each host.

    Raises LioError if it is not installed.
    """
    open_iscsi.start(name(layout.HOST), SETTINGS)
    for host in layout.HOSTS:
        open_iscsi.make_interface(host, name(host))


def log_in(host: str, engine: str) -> str:
    """Log a host in at an engine and look for its disks; return their address, "H:C:T".

    Raises LioError if there is no session after 20 s, CalledProcessError if it was refused.
    """
    number = open_iscsi.open_session(
        f"{TARGET_NAME}.{engine}", portal(engine, host), interface=host
    )
    address = f"{number}:0:0"
    if host != layout.HOST:
        hidden.hide_at(address, [unit.lun for unit in layout.LOGICAL_UNITS])
    open_iscsi.look_for_disks(number)
    return address
