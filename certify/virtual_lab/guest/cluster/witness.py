"""The witness of the router, on one of the hosts: how it is started there, lost and seen."""

import subprocess
from pathlib import Path

from certify.virtual_lab.cluster.plan import Plan
from certify.virtual_lab.guest import router
from certify.virtual_lab.guest.cluster import engine
from certify.virtual_lab.guest.settings import Membership, Settings

SCRIPT = Path(__file__).with_name("witness.sh")
START_S = 10.0


def start(chosen: Settings, plan: Plan, member: Membership) -> None:
    """Start it: a new one without votes, or with those that are on the node's disk."""
    engine.write_router_file(plan, member)
    words = start_argv(chosen) if member.again else [*start_argv(chosen), "--new"]
    subprocess.run(words, check=True, timeout=START_S)


def start_argv(chosen: Settings) -> list[str]:
    """Return the command that starts it with the votes that it has."""
    return argv("start", chosen.python, str(router.CONFIG))


def argv(verb: str, *words: str) -> list[str]:
    """Return the command line of a verb of witness.sh."""
    return ["sh", str(SCRIPT), verb, *words]
