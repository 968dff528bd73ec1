"""Engines that are stopped, wake up late, or die, alone and together, under load."""

import os
import signal
import threading
import time
from typing import Any

from tests.lab.in_guest import storage
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.registers import Load, Worker, page_of
from tests.lab.in_guest.router import ENGINES, Engine, leader_first, wait_until
from tests.lab.in_guest.storage import Direct, Scsi

WORKERS = 8
FAR_LBA = 9 * storage.REGION_BLOCKS + 1024  # no worker is there


def ghost_hang() -> dict[str, Any]:
    """Engine 1 hangs under load and is killed for it; its writes are sent again by engine 2."""
    one, _ = ENGINES
    offset = one.log_end
    with Load(WORKERS) as load:
        load.progress(5)
        os.kill(one.pid, signal.SIGSTOP)
        one.wait_dead()
        load.progress(5)
    return _end(load, killed="killing the engine" in one.log_from(offset))


def ghost_late() -> dict[str, Any]:
    """Nobody kills engine 1: it wakes up with what the kernel has long given up, and goes on."""
    one, _ = ENGINES
    offset = one.log_end
    supervisor, engine = one.supervisor, one.pid
    with Load(WORKERS) as load:
        load.progress(5)
        load.shy = True
        os.kill(supervisor, signal.SIGSTOP)
        os.kill(engine, signal.SIGSTOP)
        wait_until("writes by engine 1 failed", lambda: _all_moved(load), 20)
        load.progress(5)
        os.kill(engine, signal.SIGCONT)
        load.shy = False
        load.progress(20)
        os.kill(supervisor, signal.SIGCONT)
        load.progress(5)
    return _end(load, fenced="fenced:" in one.log_from(offset), woke=engine == one.pid)


def ghost_in_array() -> dict[str, Any]:
    """Engine 1 hangs with writes that an array keeps; they land after newer ones were told GOOD."""
    one, two = ENGINES
    engine = one.pid
    with Load(WORKERS) as load:
        load.progress(5)
        load.shy = True
        with storage.suspended("A"):
            time.sleep(0.1)  # less than the engines wait for a leg
            os.kill(engine, signal.SIGSTOP)
            wait_until("writes by engine 1 failed", lambda: _all_moved(load), 20)
            load.progress(5)
            dropped = two.unit()["legs"]["A"] != "in_sync"
        one.wait_dead()
        load.shy = False
        load.progress(5)
    return _end(load, dropped=dropped)


def ring_entries() -> dict[str, Any]:
    """Engine 1 is killed with writes in its ring that nobody has taken; a new one takes over."""
    one, _ = ENGINES
    workers = [_worker(FAR_LBA + 8 * index) for index in range(4)]
    for worker in workers:
        worker.write()
    supervisor, engine = one.supervisor, one.pid
    os.kill(supervisor, signal.SIGSTOP)
    os.kill(engine, signal.SIGSTOP)
    threads = [threading.Thread(target=worker.write) for worker in workers]
    for thread in threads:
        thread.start()
    time.sleep(0.2)  # they are in the ring
    os.kill(engine, signal.SIGKILL)
    time.sleep(0.2)
    os.kill(supervisor, signal.SIGCONT)
    for thread in threads:
        thread.join()
    before = [_on_arrays(worker) for worker in workers]
    end = settle()
    after = [_on_arrays(worker) for worker in workers]
    return {
        **end,
        "all_failed": all(worker.failed == 1 for worker in workers),
        "replayed": [seen for seen in (*before, *after) if seen != [0, 0]],
    }


def both_killed() -> dict[str, Any]:
    """Both engines die under load. The host waits; they are started; nothing is lost."""
    with Load(WORKERS, by_map=True) as load:
        load.progress(5)
        for engine in ENGINES:
            os.kill(engine.pid, signal.SIGKILL)
        for engine in ENGINES:
            engine.wait_dead()
        for engine in ENGINES:
            engine.start()
        asked = wait_until("an engine serves", lambda: _who_serves(), 20)
        load.progress(5)
    return _end(load, asked=[engine.name for engine in asked])


def resync_loses_leader() -> dict[str, Any]:
    """The engine that copies dies in the middle of the copy."""
    return _resync_loses(0)


def resync_loses_follower() -> dict[str, Any]:
    """The other one does."""
    return _resync_loses(1)


def _resync_loses(place: int) -> dict[str, Any]:
    engines = leader_first()
    victim, survivor = engines[place], engines[1 - place]
    pid = victim.pid
    with Load(WORKERS, by_map=True) as load:
        load.progress(2)
        storage.set_array("A", "offline")
        wait_until("A is dropped", lambda: survivor.unit()["legs"]["A"] == "absent")
        touch_all_regions()
        storage.set_array("A", "running")
        wait_until("A is copied to", lambda: _copied(survivor) > 2)
        os.kill(pid, signal.SIGKILL)
        copied = _copied(survivor)
        victim.wait_dead()
        load.progress(5)
    return _end(load, copied_regions=copied, regions=storage.REGIONS)


def touch_all_regions() -> None:
    """Write a page in every region, through the host's map."""
    way = Direct(storage.map_node())
    number = time.monotonic_ns()
    for region in range(storage.REGIONS):
        lba = region * storage.REGION_BLOCKS + 512
        way.write(lba, page_of(lba, number))
    way.close()


def _copied(engine: Engine) -> int:
    return engine.unit().get("resynced_regions") or 0


def _who_serves() -> list[Engine]:
    return [engine for engine in ENGINES if engine.status()["ready"]]


def _all_moved(load: Load) -> bool:
    """Tell whether every worker has left engine 1's path and has been told GOOD by engine 2."""
    return all(
        worker.failed and worker.way == 1 and worker.acknowledged == worker.number
        for worker in load.workers
    )


def _end(load: Load, **seen: Any) -> dict[str, Any]:
    end = settle()
    load.finish()
    return {**load.result(), **end, **seen}


def _worker(lba: int) -> Worker:
    first = time.monotonic_ns()
    return Worker(lba, [Scsi(storage.path_node(1))], number=first, acknowledged=first)


def _on_arrays(worker: Worker) -> list[int]:
    """Return by array how many writes after the acknowledged one its page is."""
    found = []
    for array in ("A", "B"):
        leg = Direct(storage.inspection_node(array))
        page = leg.read(worker.lba)
        wanted = page_of(worker.lba, worker.acknowledged)
        found.append(0 if page == wanted else 1)
        leg.close()
    return found
