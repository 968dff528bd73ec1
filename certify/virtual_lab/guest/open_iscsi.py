"""open-iscsi in a guest: its daemon, its interfaces, sessions by portal. Needs no init system."""

import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from certify.virtual_lab.guest.lio import LioError

SESSIONS = Path("/sys/class/iscsi_session")
CONNECTIONS = Path("/sys/class/iscsi_connection")
HOSTS = Path("/sys/class/scsi_host")
SESSION_TIMEOUT_S = 20.0
CONNECT_S = 0.5
SETTINGS = {
    "node.startup": "manual",
    # Sessions are looked into when they are asked to be, once it is known whose they are.
    "node.session.scan": "manual",
    # A portal that is silent is noticed in 2 s; one that closes the connection at once.
    "node.conn[0].timeo.noop_out_interval": "1",
    "node.conn[0].timeo.noop_out_timeout": "1",
    # There is another path, or another leg: what is under way is to go there, not to wait.
    "node.session.timeo.replacement_timeout": "0",
    "node.conn[0].timeo.login_timeout": "2",
}


def start(initiator: str, settings: Mapping[str, str] = SETTINGS) -> None:
    """Start the daemon with *initiator* as the default name; LioError if it is not installed.

    Sessions that are opened afterwards have these *settings*.
    """
    if missing := [one for one in ("iscsid", "iscsiadm") if shutil.which(one) is None]:
        raise LioError(f"not installed: {', '.join(missing)}; make cluster installs it")
    folder = Path("/etc/iscsi")
    (folder / "initiatorname.iscsi").write_text(f"InitiatorName={initiator}\n", encoding="ascii")
    use_settings(settings)
    Path("/run/lock").mkdir(exist_ok=True)  # which an init system would have made
    _run("iscsid")


def use_settings(settings: Mapping[str, str]) -> None:
    """Have sessions that are opened from now on be so: a program per setting is saved."""
    lines = [f"{key} = {value}\n" for key, value in settings.items()]
    Path("/etc/iscsi/iscsid.conf").write_text("".join(lines), encoding="ascii")


def make_interface(interface: str, initiator: str) -> None:
    """Make an interface by which sessions have another initiator name."""
    _run("iscsiadm", "-m", "iface", "-I", interface, "-o", "new")
    for key, value in {"initiatorname": initiator, "transport_name": "tcp"}.items():
        words = ["-o", "update", "-n", f"iface.{key}", "-v", value]
        _run("iscsiadm", "-m", "iface", "-I", interface, *words)


def wait_for_portal(portal: str, timeout_s: float) -> None:
    """Return when something listens at *portal*; raise LioError if nothing does in time.

    An attempt to log in at a target that is not there yet costs a number that names the session.
    """
    address, _, port = portal.rpartition(":")
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            socket.create_connection((address, int(port)), CONNECT_S).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise LioError(f"{portal}: nobody listens after {timeout_s:.0f} s") from error
            time.sleep(0.05)
        else:
            return


def open_session(target: str, portal: str, *, interface: str = "default") -> int:
    """Log in; return the number of the session's SCSI host. Its disks are not looked for yet.

    Raises LioError if there is no session after 20 s, CalledProcessError if it was refused.
    """
    node = ["iscsiadm", "-m", "node", "-T", target, "-p", portal, "-I", interface]
    _run(*node, "-o", "new")
    _run(*node, "--login")
    return _scsi_host(target, portal.rpartition(":")[0], interface)


def look_for_disks(scsi_host: int) -> None:
    """Have the kernel look for all disks of a session."""
    (HOSTS / f"host{scsi_host}" / "scan").write_text("- - -", encoding="ascii")


def _scsi_host(target: str, address: str, interface: str) -> int:
    """Return the number of the SCSI host that is the session by *interface* with a portal."""
    deadline = time.monotonic() + SESSION_TIMEOUT_S
    while time.monotonic() < deadline:
        for session in SESSIONS.glob("session*"):
            connection = CONNECTIONS / f"connection{session.name.removeprefix('session')}:0"
            seen = (
                _read(session / "targetname"),
                _read(session / "ifacename"),
                _read(connection / "persistent_address"),
            )
            wanted = (target, interface, address)
            if seen == wanted and _read(session / "state") == "LOGGED_IN":
                parents = (session / "device").resolve().parts
                return int(next(one for one in parents if one.startswith("host"))[4:])
        time.sleep(0.02)
    raise LioError(f"no iSCSI session with {target} at {address} after {SESSION_TIMEOUT_S:.0f} s")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
