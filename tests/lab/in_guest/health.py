"""Back to health between the cases, and what must hold at the end of each."""

import contextlib
import os
import signal
import time
from typing import Any

from certify.virtual_lab.guest import host
from tests.lab.in_guest import storage
from tests.lab.in_guest.router import ENGINES, redundant, wait_until

SETTLE_TIMEOUT_S = 30.0


def settle() -> dict[str, Any]:
    """Start what is dead, wait for full redundancy and all paths, and compare the arrays.

    No operator's word is given to any engine.
    """
    began_s = time.monotonic()
    storage.resume_all()
    for engine in ENGINES:
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine.supervisor, signal.SIGCONT)
    try:
        wait_until("redundant", _redundant, SETTLE_TIMEOUT_S)
        is_redundant = True
    except TimeoutError:
        is_redundant = False
    if is_redundant:
        host.wait_for_maps()
    return {
        "redundant": is_redundant,
        "different": storage.differences(),
        "settled_s": round(time.monotonic() - began_s, 2),
        "crashed": _crashes(),
    }


def _redundant() -> bool:
    for engine in ENGINES:
        if not engine.pid:
            engine.start()
    return redundant()


def _crashes() -> list[str]:
    """Return what engines and supervisors have said in dying of a bug, once."""
    found = []
    for engine in ENGINES:
        console = engine.log_path.with_suffix(".console")
        text = console.read_text(errors="replace")
        if "Traceback" in text:
            found.append(text)
            console.write_text("")  # they append
    return found
