"""Arrays that come back in the wrong order, and the removal of the router."""

import hashlib
import os
import signal
import time
from typing import Any

from certify.virtual_lab.guest import router, settings
from tests.lab.in_guest import storage
from tests.lab.in_guest.engine_cases import touch_all_regions
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.registers import Load, page_of
from tests.lab.in_guest.router import ENGINES, Engine, wait_until
from tests.lab.in_guest.storage import Direct

LBA = 5 * storage.REGION_BLOCKS + 1500


def wrong_order() -> dict[str, Any]:
    """A goes, hosts write, B goes, both engines die, and only A comes back."""
    with Load(4, by_map=True) as load:
        load.progress(2)
        storage.set_array("A", "offline")
        wait_until("A is dropped", lambda: ENGINES[0].unit()["legs"]["A"] == "absent")
        touch_all_regions()
        load.progress(3)
    storage.set_array("B", "offline")
    for engine in ENGINES:
        engine.kill()
    storage.set_array("A", "running")
    for engine in ENGINES:
        engine.start()
    for engine in ENGINES:
        wait_until("A is in reach", lambda e=engine: e.unit().get("legs", {}).get("A") == "stale")
    time.sleep(1.5)  # as long as it likes: it must not change its mind
    refused = [engine.unit()["why"] for engine in ENGINES]
    ready = [engine.status()["ready"] for engine in ENGINES]
    shown = ENGINES[0].run("status").stdout
    storage.set_array("B", "running")
    offsets = [engine.log_end for engine in ENGINES]
    end = settle()
    load.finish()
    log = "".join(engine.log_from(offset) for engine, offset in zip(ENGINES, offsets, strict=True))
    return {
        **load.result(),
        **end,
        "refused": refused,
        "ready": ready,
        "shown": shown,
        "from_b": "A stale, B in_sync" in log,
        "resynced": "A in_sync, B in_sync" in log,
    }


def release() -> dict[str, Any]:
    """The router is taken away; a host uses either array's disk directly; it is put back."""
    touch_all_regions()
    hosts_view = _digest(storage.map_node())
    before = _write_directly("before")
    too_early = [engine.run("release").returncode for engine in ENGINES]
    for pid in [engine.supervisor for engine in ENGINES]:
        os.kill(pid, signal.SIGTERM)
    ended = [bool(wait_until("gone", lambda e=engine: _is_gone(e), 60)) for engine in ENGINES]
    still = _write_directly("still")
    ends = [engine.run("release") for engine in ENGINES]
    digests = {array: _digest(storage.inspection_node(array)) for array in ("A", "B")}
    after = _write_directly("after")
    router.hide_ports()
    router.start(settings.load())  # with cold_start in the file: both arrays were written alike
    end = settle()
    through = Direct(storage.map_node())
    page = through.read(LBA)
    through.close()
    return {
        **end,
        "before": before,
        "too_early": too_early,
        "ended": ended,
        "still": still,
        "release": [(done.returncode, done.stdout + done.stderr) for done in ends],
        "same": {array: digest == hosts_view for array, digest in digests.items()},
        "after": after,
        "router_reads_it": page == page_of(LBA, len("after")),
    }


def _is_gone(engine: Engine) -> bool:
    try:
        return not engine.supervisor
    except ProcessLookupError:
        return True


def _write_directly(what: str) -> dict[str, str]:
    """Write the same page to both arrays' disks past the router; return how it ended."""
    ends = {}
    for array in ("A", "B"):
        way = Direct(storage.inspection_node(array))
        try:
            way.write(LBA, page_of(LBA, len(what)))
            ends[array] = "good"
        except OSError as error:
            ends[array] = os.strerror(error.errno or 0)
        way.close()
    return ends


def _digest(device: str) -> str:
    digest = hashlib.sha256()
    for chunk in storage.whole(device):
        digest.update(chunk)
    return digest.hexdigest()
