"""A node in its networks: addresses, names, SSH; and the folder that outlives its power."""

import re
import shutil
import socket
import subprocess
from pathlib import Path

from certify.virtual_lab.cluster import access
from certify.virtual_lab.cluster.plan import Fabric, Node, Plan, disk_folder
from certify.virtual_lab.guest.lio import LioError
from certify.virtual_lab.guest.settings import Membership

DISK = Path("/run/disk")
"""The node's own disk: a folder of the host's, written through."""
OURS = ("env", f"PYTHONPATH={Path(__file__).resolve().parents[4]}", "PYTHONDONTWRITEBYTECODE=1")
"""What a command line that SSH gives to a node begins with, so that Python finds our modules."""
SSH = Path("/root/.ssh")
SSH_CONFIG = f"""\
Host *
    IdentityFile {SSH}/id
    ControlMaster auto
    ControlPath /run/ssh-%C
    ControlPersist yes
    ConnectTimeout 3
    ServerAliveInterval 1
    ServerAliveCountMax 3
"""


def join(plan: Plan, node: Node, member: Membership) -> None:
    """Give the node its name, addresses, SSH and disk. Raises LioError or CalledProcessError."""
    socket.sethostname(node.name)
    _run("ip", "link", "set", "lo", "up")
    for number, fabric in enumerate(node.fabrics):
        interface = f"vec{number}"
        _run("ip", "address", "add", f"{node.address(fabric)}/24", "dev", interface)
        _run("ip", "link", "set", interface, "up")
    names = [f"{one.address(Fabric.MANAGEMENT)} {one.name}\n" for one in plan.nodes]
    Path("/etc/hosts").write_text("127.0.0.1 localhost\n" + "".join(names), encoding="ascii")
    _start_ssh(Path(member.cluster), node)
    DISK.mkdir()
    _run("mount", "-t", "hostfs", "none", str(DISK), "-o", str(disk_path(member)))


def disk_path(member: Membership) -> Path:
    """Return the host's folder that is the node's disk."""
    return disk_folder(Path(member.cluster), member.node)


def _start_ssh(cluster: Path, node: Node) -> None:
    if shutil.which("dropbear") is None:
        raise LioError("not installed: dropbear; the package dropbear-bin has it")
    SSH.mkdir(mode=0o700, exist_ok=True)
    # Of root alone, whoever owns them on the host: SSH looks.
    for source, name in (
        (access.key(cluster), "id"),
        (access.key(cluster).with_suffix(".pub"), "authorized_keys"),
        (access.known_hosts(cluster), "known_hosts"),
        (access.host_key(cluster), "host_key"),
    ):
        (SSH / name).write_bytes(source.read_bytes())
        (SSH / name).chmod(0o600)
    (SSH / "config").write_text(SSH_CONFIG, encoding="ascii")
    # The host's bash would read the host's .bashrc for each command.
    passwd = Path("/etc/passwd")
    words = re.sub(r"(?m)^(root:.*:)[^:]*$", r"\1/bin/sh", passwd.read_text(encoding="utf-8"))
    passwd.write_text(words, encoding="utf-8")
    address = f"{node.address(Fabric.MANAGEMENT)}:22"
    _run("dropbear", "-s", "-r", str(SSH / "host_key"), "-p", address, "-P", "/run/dropbear.pid")


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
