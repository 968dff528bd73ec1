"""How a cluster is started: its keeper's command line, and what says to others that it is one."""

import sys
from pathlib import Path

import msgspec

from certify.virtual_lab.boot import BootError
from certify.virtual_lab.cluster.plan import HOSTS, Plan
from certify.virtual_lab.guest.settings import Membership, Settings
from certify.virtual_lab.targets import DEFAULT_TARGET
from certify.virtual_lab.uml import Uml

KERNEL = Uml.name


def keeper_argv(
    folder: Path, *, kernel: str | None, target: str, hosts: int | None, share: str
) -> list[str]:
    """Write the cluster's settings to its folder; return the command line of its keeper.

    Raises BootError for what a cluster cannot be.
    """
    if (kernel or KERNEL) != KERNEL:
        raise BootError(f"kernel: a cluster is expected to be of {KERNEL}; seen {kernel}")
    if target != DEFAULT_TARGET:
        raise BootError(f"target: a cluster is expected to be of {DEFAULT_TARGET}; seen {target}")
    plan = Plan(HOSTS if hosts is None else hosts)
    member = Membership(node=plan.hosts[0], hosts=plan.host_count, cluster=str(folder))
    settings = Settings(
        kernel=KERNEL, target=target, python=sys.executable, share=share, membership=member
    )
    (folder / "settings.json").write_bytes(msgspec.json.encode(settings))
    return [
        *(sys.executable, "-m", "certify.virtual_lab.cluster.keeper"),
        *("--folder", str(folder), "--hosts", str(plan.host_count)),
        *("--target", target, "--share", share),
    ]
