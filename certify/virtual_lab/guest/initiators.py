"""iSCSI initiators of the guest's hosts: open-iscsi, a session per host and engine.

All hosts are one kernel; each is an initiator by its iSCSI name, which an "interface" of
open-iscsi carries. A disk's address is known from its session before the disk is looked for, so
the disks of hosts without multipath are hidden in time.
"""

import shutil
import subprocess
import time
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden
from certify.virtual_lab.guest.lio import LioError

AUTHORITY = "iqn.2026-11.org.zerostall"
TARGET_NAME = f"{AUTHORITY}:router"
SESSIONS = Path("/sys/class/iscsi_session")
HOSTS = Path("/sys/class/scsi_host")
SESSION_TIMEOUT_S = 20.0
CHAP_USER = "lab"
CHAP_SECRET = "known to all"  # noqa: S105 - of hosts and engines of one guest
SETTINGS = {
    "node.session.auth.authmethod": "CHAP",
    "node.session.auth.username": CHAP_USER,
    "node.session.auth.password": CHAP_SECRET,
    "node.startup": "manual",
    # Sessions are looked into when they are asked to be, once it is known whose they are.
    "node.session.scan": "manual",
    # A portal that is silent is noticed in 2 s; one that closes the connection at once.
    "node.conn[0].timeo.noop_out_interval": "1",
    "node.conn[0].timeo.noop_out_timeout": "1",
    # dm-multipath has another path: what is under way is to go there, not to wait for this one.
    "node.session.timeo.replacement_timeout": "0",
}


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
    if missing := [one for one in ("iscsid", "iscsiadm") if shutil.which(one) is None]:
        raise LioError(f"not installed: {', '.join(missing)}; make peers installs it")
    folder = Path("/etc/iscsi")
    (folder / "initiatorname.iscsi").write_text(
        f"InitiatorName={name(layout.HOST)}\n", encoding="ascii"
    )
    # What is the default when a node is made need not be changed afterwards, a program per line.
    lines = [f"{key} = {value}\n" for key, value in SETTINGS.items()]
    (folder / "iscsid.conf").write_text("".join(lines), encoding="ascii")
    Path("/run/lock").mkdir(exist_ok=True)  # which an init system would have made
    _run("iscsid")
    for host in layout.HOSTS:
        _run("iscsiadm", "-m", "iface", "-I", host, "-o", "new")
        for key, value in {"initiatorname": name(host), "transport_name": "tcp"}.items():
            words = ["-o", "update", "-n", f"iface.{key}", "-v", value]
            _run("iscsiadm", "-m", "iface", "-I", host, *words)


def log_in(host: str, engine: str) -> str:
    """Log a host in at an engine and look for its disks; return their address, "H:C:T".

    Raises LioError if there is no session after 20 s, CalledProcessError if it was refused.
    """
    node = ["node", "-T", f"{TARGET_NAME}.{engine}", "-p", portal(engine, host), "-I", host]
    _run("iscsiadm", "-m", *node, "-o", "new")
    _run("iscsiadm", "-m", *node, "--login")
    number = _scsi_host(host, engine)
    address = f"{number}:0:0"
    if host != layout.HOST:
        hidden.hide_at(address, [unit.lun for unit in layout.LOGICAL_UNITS])
    (HOSTS / f"host{number}" / "scan").write_text("- - -", encoding="ascii")
    return address


def _scsi_host(host: str, engine: str) -> int:
    """Return the number of the SCSI host that is a session of *host* with *engine*."""
    wanted = (name(host), f"{TARGET_NAME}.{engine}")
    deadline = time.monotonic() + SESSION_TIMEOUT_S
    while time.monotonic() < deadline:
        for session in SESSIONS.glob("session*"):
            seen = tuple(_read(session / key) for key in ("initiatorname", "targetname"))
            if seen == wanted and _read(session / "state") == "LOGGED_IN":
                parents = (session / "device").resolve().parts
                return int(next(one for one in parents if one.startswith("host"))[4:])
        time.sleep(0.02)
    raise LioError(f"{host} has no iSCSI session with {engine} after {SESSION_TIMEOUT_S:.0f} s")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
