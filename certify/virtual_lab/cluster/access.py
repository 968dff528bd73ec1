"""Keys by which the nodes of a cluster reach each other by SSH; made anew for each cluster."""

from pathlib import Path

from certify.virtual_lab.boot import need, run_tool

TOOL_S = 30.0


def key(cluster: Path) -> Path:
    """Return the private key of who may log in, in OpenSSH's format; ".pub" has the other half."""
    return cluster / "ssh" / "id"


def host_key(cluster: Path) -> Path:
    """Return the key that all nodes have as servers, in Dropbear's format."""
    return cluster / "ssh" / "host_key"


def known_hosts(cluster: Path) -> Path:
    """Return the file that says so to clients."""
    return cluster / "ssh" / "known_hosts"


def make_keys(cluster: Path) -> None:
    """Make them; raise BootError if what makes them is not installed."""
    key(cluster).parent.mkdir(mode=0o700)
    keygen = need("ssh-keygen", package="openssh-client")
    run_tool(
        [keygen, "-q", "-t", "ed25519", "-N", "", "-C", "cluster", "-f", str(key(cluster))],
        timeout_s=TOOL_S,
    )
    need("dropbear", package="dropbear-bin")
    keygen = need("dropbearkey", package="dropbear-bin")
    told = run_tool(
        [keygen, "-t", "ed25519", "-f", str(host_key(cluster))], timeout_s=TOOL_S
    ).splitlines()
    public = next(line for line in told if line.startswith("ssh-ed25519 "))
    words = " ".join(public.split()[:2])
    known_hosts(cluster).write_text(f"* {words}\n", encoding="ascii")
