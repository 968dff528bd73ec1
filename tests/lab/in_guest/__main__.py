"""Run one case in the guest; print what it saw as a line of JSON."""

import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from tests.lab.in_guest import (
    array_cases,
    engine_cases,
    lab_file_cases,
    link_cases,
    scsi_cases,
)
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.router import ENGINES

CASES: dict[str, Callable[[], dict[str, Any]]] = {
    each.__name__: each
    for each in (
        engine_cases.ghost_hang,
        engine_cases.ghost_late,
        engine_cases.ghost_in_array,
        engine_cases.ring_entries,
        engine_cases.both_killed,
        engine_cases.resync_loses_leader,
        engine_cases.resync_loses_follower,
        array_cases.wrong_order,
        array_cases.release,
        link_cases.link_cut,
        lab_file_cases.operator,
        scsi_cases.reservations,
        scsi_cases.commands,
        scsi_cases.reset,
    )
}


def main(name: str) -> int:
    """Run a case; put everything back if it breaks off. Return the exit status."""
    began_s = time.monotonic()
    try:
        result = CASES[name]()
    except Exception:
        logs = "".join(engine.log_from(max(engine.log_end - 4000, 0)) for engine in ENGINES)
        result = {"broke_off": traceback.format_exc(), "logs": logs, **settle()}
    result["took_s"] = round(time.monotonic() - began_s, 2)
    sys.stdout.write(json.dumps(result) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
