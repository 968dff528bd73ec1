"""What can be done to a cluster from outside: pull and mend cables, cut power and give it back.

A port is NODE:FABRIC, both ways of its cable, or NODE:FABRIC:WAY. The words that look exit 0 for
yes and 1 for no; 2 is a mistake in what was asked, with its reason.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from certify.virtual_lab import state
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.client import Client
from certify.virtual_lab.cluster.plan import Fabric, fabric_socket, node_folder
from certify.virtual_lab.fabric.cable import Condition, Way
from certify.virtual_lab.fabric.client import FabricClient
from certify.virtual_lab.fabric.switch import FabricError
from certify.virtual_lab.fabric.wire import WayState
from certify.virtual_lab.wire import Op

YES, NO, MISTAKE = 0, 1, 2
CUT = Condition(cut=True)
SPOILT = Condition(loss=0.02, delay_ms=25.0)
WHOLE = Condition()
_PANIC = ["sh", "-c", "echo c > /proc/sysrq-trigger"]
_ANSWER_S = 5.0
PROOF_S = 2.0
POLL_S = 0.02

Told = tuple[int, str]
"""An exit status, and words for who asked."""


def act(cluster: Path, words: Sequence[str]) -> Told:
    """Do what *words* say to the cluster in this folder: see `VERBS`."""
    if not (cluster / "nodes").is_dir():
        return MISTAKE, "expected a lab that is a cluster: certify lab up --topology cluster"
    match words:
        case [group, verb, *names] if names and verb in VERBS.get(group, {}):
            try:
                return VERBS[group][verb](cluster, names)
            except (BootError, FabricError) as error:
                return MISTAKE, str(error)
    known = " or ".join(f"{group} {'|'.join(verbs)} NAME..." for group, verbs in VERBS.items())
    return MISTAKE, f"expected {known}, seen {' '.join(words) or 'nothing'}"


# cables
def _ways(name: str) -> tuple[str, Fabric, tuple[Way, ...]]:
    """Return node, fabric and ways of a port. Raises FabricError."""
    node, *rest = name.split(":")
    try:
        fabric = Fabric(rest[0]) if rest else None
        ways = tuple(Way(one) for one in rest[1:]) or tuple(Way)
    except ValueError:
        fabric = None
    if fabric is None:
        raise FabricError(
            f"port: expected NODE:FABRIC or NODE:FABRIC:WAY, a fabric of {', '.join(Fabric)}, a "
            f"way of {', '.join(Way)}; seen {name!r}"
        )
    return node, fabric, ways


def _setter(condition: Condition) -> Callable[[Path, list[str]], Told]:
    def set_all(cluster: Path, names: list[str]) -> Told:
        ports = [_ways(name) for name in names]  # all are looked at before one is touched
        for node, fabric, _ in ports:
            _state_of(cluster, node, fabric)
        for node, fabric, ways in ports:
            with FabricClient(fabric_socket(cluster, fabric)) as client:
                for way in ways:
                    client.set(node, way, condition)
        return YES, ""

    return set_all


def _state_of(cluster: Path, node: str, fabric: Fabric) -> dict[Way, WayState]:
    with FabricClient(fabric_socket(cluster, fabric)) as client:
        seen = {one.way: one for one in client.look().ways if one.node == node}
    if not seen:
        raise FabricError(f"node: {node!r} has no port on fabric {fabric}")
    return seen


def _looker(condition: Condition) -> Callable[[Path, list[str]], Told]:
    """Return what says whether all named are so. A frame must have met it: that proves the fault.

    One is waited for. If none comes, the answer is neither yes nor no: it is so, and unproven.
    """

    def look(cluster: Path, names: list[str]) -> Told:
        for _ in range(round(PROOF_S / POLL_S)):
            found = [_way_states(cluster, name) for name in names]
            if any(one.condition != condition for states in found for one in states):
                return NO, f"not all of {', '.join(names)} are so"
            struck = [sum(one.struck for one in states) for states in found]
            if any(struck) or condition == WHOLE:
                told = zip(names, struck, strict=True)
                return YES, ", ".join(f"{name}: {frames} frames" for name, frames in told)
            time.sleep(POLL_S)
        return MISTAKE, f"{', '.join(names)}: no frame in {PROOF_S:g} s that would prove it"

    return look


def _way_states(cluster: Path, name: str) -> list[WayState]:
    node, fabric, ways = _ways(name)
    seen = _state_of(cluster, node, fabric)
    return [seen[way] for way in ways]


# power
def _switcher(op: Op) -> Callable[[Path, list[str]], Told]:
    def switch(cluster: Path, names: list[str]) -> Told:
        with Client(cluster) as client:
            client.switch(op, names)
        return YES, ""

    return switch


def _panic(cluster: Path, names: list[str]) -> Told:
    """Have the kernels of nodes panic; each ends with it, as one that is set to restart does."""
    for name in names:
        with Client(_folder(cluster, name)) as client:
            client.begin(_PANIC)
            client.wait_for_end(_ANSWER_S)
    return YES, ""


def _folder(cluster: Path, name: str) -> Path:
    folder = node_folder(cluster, name)
    if not state.alive(folder):
        raise BootError(f"{name}: expected a node that has power")
    return folder


def power_of(cluster: Path, name: str) -> str:
    """Return "off", "starting" or "ready"."""
    folder = node_folder(cluster, name)
    if not state.alive(folder):
        return "off"
    try:
        with Client(folder, timeout_s=_ANSWER_S) as client:
            return "ready" if client.is_ready() else "starting"
    except BootError:
        return "off" if not state.alive(folder) else "starting"


def _power_looker(wanted: str) -> Callable[[Path, list[str]], Told]:
    def look(cluster: Path, names: list[str]) -> Told:
        seen = {name: power_of(cluster, name) for name in names}
        told = ", ".join(f"{name} {power}" for name, power in seen.items())
        return (YES if set(seen.values()) == {wanted} else NO), told

    return look


VERBS: dict[str, dict[str, Callable[[Path, list[str]], Told]]] = {
    "cable": {
        "cut": _setter(CUT),
        "spoil": _setter(SPOILT),
        "mend": _setter(WHOLE),
        "is_cut": _looker(CUT),
        "is_spoil": _looker(SPOILT),
        "is_whole": _looker(WHOLE),
    },
    "power": {
        "cut": _switcher(Op.POWER_CUT),
        "on": _switcher(Op.POWER_ON),
        "panic": _panic,
        "is_off": _power_looker("off"),
        "is_ready": _power_looker("ready"),
    },
}
