"""The system under test of the lab: the reference router as an operator would run it.

The lab only starts its commands and writes its configuration; it never imports it.
"""

import hashlib
import json
import subprocess
import time
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


def write_config(supervision: str, *, transport: str = "loopback") -> None:
    """Write router.toml for the lab's layout; both words are the router's own switches."""
    by_iscsi = transport == "iscsi"
    lines = [
        "schema = 1",
        "[cluster]",
        f'name = "{CLUSTER}"',
        f'transport = "{transport}"',
        *([f'target_name = "{initiators.TARGET_NAME}"'] if by_iscsi else []),
        f'supervision = "{supervision}"',
        'restart = "manual"',
        'cold_start = "in_sync"',
        # Everything shares one processor here: a faster copy would starve the host's own work.
        f"resync_rate_bytes_per_s = {RESYNC_RATE_BYTES_PER_S}",
    ]
    for number, engine in enumerate(layout.ENGINES, start=1):
        lines += [
            "[[engine]]",
            f"id = {number}",
            f'name = "{engine}"',
            *([f"portals = {json.dumps(_portals(engine))}"] if by_iscsi else []),
            f"hba_index = {layout.engine_hba(engine)}",
            f'link = "{layout.RUN}/link-{number}.sock"',
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
    for host in layout.HOSTS:
        lines += ["[[host]]", f'name = "{host}"']
        if by_iscsi:
            lines += [
                f'initiator = "{initiators.name(host)}"',
                f'chap_user = "{initiators.CHAP_USER}"',
                f'chap_secret = "{initiators.CHAP_SECRET}"',
            ]
    CONFIG.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _portals(engine: str) -> list[str]:
    return [initiators.portal(engine, host) for host in layout.HOSTS]


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


def start(chosen: Settings) -> None:
    """Start both supervisors and wait until both engines serve. Raises RouterError after 60 s."""
    supervisors = {engine: _start_supervisor(chosen, engine) for engine in layout.ENGINES}
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
