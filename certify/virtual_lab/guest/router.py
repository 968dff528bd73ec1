"""The system under test of the lab: the reference router as an operator would run it.

The lab only starts its commands and writes its configuration; it never imports it.
"""

import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import hidden, initiators, lio
from certify.virtual_lab.guest.settings import Settings

CLUSTER = "router"
CONFIG = layout.RUN / "router.toml"
READY_TIMEOUT_S = 60.0
RESYNC_RATE_BYTES_PER_S = 32 << 20


class RouterError(Exception):
    """An engine did not come up; the message holds the end of its log."""


def argv(chosen: Settings, verb: str, engine: str, *words: str) -> list[str]:
    """Return the command line of one verb of the router's CLI."""
    module = [chosen.python, "-m", "reference_router"]
    return [*module, verb, "--config", str(CONFIG), "--engine", engine, *words]


def unix_link(engine: str) -> str:
    """Return where an engine listens for the other one, where both are on one machine."""
    return f"{layout.RUN}/link-{layout.ENGINES.index(engine) + 1}.sock"


def port(engine: str, host: str) -> Path:
    """Return the target port group of an engine's loopback port for a host.

    Its name is told in the router's documentation: NAA 5001405 and the first nine digits of the
    SHA-256 of cluster, engine and host.
    """
    digits = hashlib.sha256(f"{CLUSTER} {engine} {host}".encode()).hexdigest()[:9]
    return lio.TARGET / "loopback" / f"naa.5001405{digits}" / "tpgt_1"


def state_file(engine: str) -> str:
    """Return the file in which the engine's supervisor says how it is."""
    return f"{layout.RUN}/{engine}.state"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """How a router is joined to the rest of a lab.

    `link` says where an engine listens for the other one, `portals` where for hosts by iSCSI; None
    is by loopback. `witness` is where a witness listens, "" without one. `state` is a folder that
    outlives the node. `both_legs_are_new` is the operator's word that arrays without keys are
    equal. `lease_limit` and `region_bytes` say how much there is to repair when an engine is lost:
    their product, at most.
    """

    hosts: tuple[str, ...] = layout.HOSTS
    link: Callable[[str], str] = unix_link
    link_key: str = ""
    portals: Callable[[str], list[str]] | None = None
    witness: str = ""
    state: str = "/var/lib/zerostall"
    both_legs_are_new: bool = True
    lease_limit: int = 64
    region_bytes: int = 1 << 20


ON_ONE_MACHINE = Wiring()


def write_config(supervision: str, wiring: Wiring = ON_ONE_MACHINE) -> None:
    """Write router.toml for the lab's layout; *supervision* is the router's own switch."""
    portals = wiring.portals
    lines = [
        "schema = 1",
        "[cluster]",
        f'name = "{CLUSTER}"',
        f'transport = "{"iscsi" if portals else "loopback"}"',
        *([f'target_name = "{initiators.TARGET_NAME}"'] if portals else []),
        *([f'link_key = "{wiring.link_key}"'] if wiring.link_key else []),
        f'supervision = "{supervision}"',
        'restart = "manual"',
        f'cold_start = "{"in_sync" if wiring.both_legs_are_new else ""}"',
        # Everything shares one processor here: a faster copy would starve the host's own work.
        f"resync_rate_bytes_per_s = {RESYNC_RATE_BYTES_PER_S}",
        f"resync_region_bytes = {wiring.region_bytes}",
        f"lease_limit = {wiring.lease_limit}",
    ]
    for number, engine in enumerate(layout.ENGINES, start=1):
        lines += [
            "[[engine]]",
            f"id = {number}",
            f'name = "{engine}"',
            *([f"portals = {json.dumps(portals(engine))}"] if portals else []),
            f"hba_index = {layout.engine_hba(engine)}",
            f'state = "{wiring.state}"',
            f'link = "{wiring.link(engine)}"',
            f'control = "{layout.RUN}/{engine}.ctl"',
            f'log = "{layout.RUN}/{engine}.log"',
        ]
        for unit in layout.LOGICAL_UNITS:
            lines.append(f"[engine.legs.{unit.name}]")
            lines += [
                f'{array} = "{layout.leg_device(engine, array, unit.name)}"'
                for array in layout.ARRAYS
            ]
    for array in layout.ARRAYS:
        lines += ["[[array]]", f'name = "{array}"']
    for unit in layout.LOGICAL_UNITS:
        lines += [
            "[[logical_unit]]",
            f'name = "{unit.name}"',
            f'naa = "{unit.naa}"',
            f'serial = "ZS-{unit.name.upper()}"',
            # So that an engine also starts while an array is away.
            f"size_bytes = {unit.size_bytes}",
        ]
    for host in wiring.hosts:
        lines += ["[[host]]", f'name = "{host}"']
        if portals:
            lines += [
                f'initiator = "{initiators.name(host)}"',
                f'chap_user = "{initiators.CHAP_USER}"',
                f'chap_secret = "{initiators.CHAP_SECRET}"',
            ]
    lines += _witness(wiring)
    CONFIG.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _witness(wiring: Wiring) -> list[str]:
    if not wiring.witness:
        return []
    return [
        "[witness]",
        f'address = "{wiring.witness}"',
        f'state = "{wiring.state}/witness.json"',
        f'log = "{layout.RUN}/witness.log"',
    ]


def hide_ports(*, seen_by: tuple[str, ...] = (layout.HOST,)) -> None:
    """Let multipath see the loopback ports of the hosts *seen_by* only.

    The router takes a port that is there, so the others are made here and hidden before anything
    is behind them.
    """
    hidden.forget()
    luns = [unit.lun for unit in layout.LOGICAL_UNITS]
    for host in layout.HOSTS:
        for engine in layout.ENGINES:
            if host not in seen_by:
                group = port(engine, host)
                hidden.hide(
                    group if group.exists() else lio.create_adapter(group.parent.name), luns
                )


def start(chosen: Settings, engines: tuple[str, ...] = layout.ENGINES) -> None:
    """Start the supervisors of *engines* and wait until all serve.

    Raises RouterError after 60 s.
    """
    supervisors = {engine: _start_supervisor(chosen, engine) for engine in engines}
    deadline = time.monotonic() + READY_TIMEOUT_S
    for engine, supervisor in supervisors.items():
        while not _ready(engine):
            if supervisor.poll() is not None or time.monotonic() > deadline:
                raise RouterError(f"{engine} does not serve: {_last_words(engine)}")
            time.sleep(0.02)


def _ready(engine: str) -> bool:
    path = Path(state_file(engine))
    return path.exists() and "ready=yes" in path.read_text(encoding="ascii").split()


def _start_supervisor(chosen: Settings, engine: str) -> "subprocess.Popen[bytes]":
    with (layout.RUN / f"{engine}.console").open("ab") as log:
        return subprocess.Popen(
            argv(chosen, "supervise", engine),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )


def _last_words(engine: str) -> str:
    for name in (f"{engine}.log", f"{engine}.console"):
        path = layout.RUN / name
        if path.exists() and (text := path.read_text(errors="replace").strip()):
            return " / ".join(text.splitlines()[-5:])
    return "no log"
