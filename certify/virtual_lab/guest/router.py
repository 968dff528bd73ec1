"""The system under test of the lab: the reference router as an operator would run it.

The lab only starts its commands and writes its configuration; it never imports it.
"""

import subprocess
import time
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.targets import TARGETS

CONFIG = layout.RUN / "router.toml"
READY_TIMEOUT_S = 60.0
RESYNC_RATE_BYTES_PER_S = 32 << 20


class RouterError(Exception):
    """An engine did not come up; the message holds the end of its log."""


def argv(chosen: Settings, verb: str, engine: str) -> list[str]:
    """Return the command line of one verb of the router's CLI."""
    return [
        chosen.python,
        "-m",
        "reference_router",
        verb,
        "--config",
        str(CONFIG),
        "--engine",
        engine,
    ]


def state_file(engine: str) -> str:
    """Return the file in which the engine's supervisor says how it is."""
    return f"{layout.RUN}/{engine}.state"


def write_config(chosen: Settings) -> None:
    """Write router.toml for the lab's layout and target."""
    lines = [
        "schema = 1",
        "[cluster]",
        'name = "router"',
        f'supervision = "{TARGETS[chosen.target].supervision}"',
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
    lines += ["[[host]]", f'name = "{layout.HOST}"']
    CONFIG.write_text("\n".join(lines) + "\n", encoding="utf-8")


def start(chosen: Settings) -> None:
    """Start both supervisors and wait until both engines serve.

    Raises RouterError after 60 s.
    """
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
