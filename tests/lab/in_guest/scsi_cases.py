"""The commands of the router by the tools that a host's administrator has, on real paths.

There is one host with two paths: two I_T nexuses. What is written is looked at on both arrays.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

from tests.lab.in_guest import storage
from tests.lab.in_guest.health import settle
from tests.lab.in_guest.registers import Load
from tests.lab.in_guest.router import ENGINES
from tests.lab.in_guest.storage import (
    BLOCKS,
    PAGE_BYTES,
    SECTOR_BYTES,
    CommandError,
    Direct,
    Scsi,
)

UNIT = 1
LBA = 4096
_PAGE = b"zerostall scsi\0\0" * (PAGE_BYTES // 16)
_DATA = Path("/run/zerostall-test-data")


def reservations() -> dict[str, Any]:
    """Register, reserve, conflict, preempt through the other engine, and a dead engine's."""
    one, two = _paths()
    seen: dict[str, Any] = {"capabilities": _in("-c", one)}
    seen["register"] = [
        _out(path, "--register", f"--param-sark={key}") for path, key in ((one, "a1"), (two, "a2"))
    ]
    seen["keys"] = _keys(two)
    seen["full_status"] = _in("-s", two)
    seen["reserve"] = _out(one, "--reserve", "--param-rk=a1", "--prout-type=1")
    seen["reserve_again"] = _out(two, "--reserve", "--param-rk=a2", "--prout-type=1")
    seen["held"] = _transfers()
    with storage.no_path_checker():
        preempt = ["--preempt", "--param-rk=a2", "--param-sark=a1", "--prout-type=1"]
        seen["preempt"] = _out(two, *preempt)
        seen["attention"] = _tool("sg_turs", "-v", one)
    seen["preempted"] = {**_transfers(), "keys": _keys(one)}
    _out(one, "--register", "--param-sark=a1")
    ENGINES[1].kill()  # the one that the reservation came through
    seen["holder_dead"] = _transfers(paths=(1,))
    ENGINES[1].start()
    end = settle()
    seen["holder_back"] = _transfers()
    seen["clear"] = _out(one, "--clear", "--param-rk=a1")
    seen["cleared"] = {**_transfers(), "keys": _keys(two)}
    return {**end, **seen}


def commands() -> dict[str, Any]:
    """What is there, access states, and everything that writes without being a WRITE."""
    one, two = _paths()
    seen: dict[str, Any] = {
        "opcodes": _tool("sg_opcodes", one)[1],
        "opcode": _tool("sg_opcodes", "--opcode=0x89", one)[1],
    }
    seen["states"] = [_states(one)]
    seen["standby"] = _tool("sg_stpg", "--tp=2", "--state=s", one)
    seen["states"] += [_states(one), _states(two)]
    seen["in_standby"] = _transfers()
    seen["active"] = _tool("sg_stpg", "--tp=2", "--state=0", two)
    seen["states"] += [_states(two)]
    seen["in_active"] = _transfers()
    return {**seen, **_writers(), **settle()}


def reset() -> dict[str, Any]:
    """LOGICAL UNIT RESET through one path while both are in use."""
    one, _ = _paths(unit=0)
    with Load(4) as load:
        load.progress(5)
        seen = [_tool("sg_reset", "-N", "-d", one)]
        load.progress(5)
        seen.append(_tool("sg_reset", "-N", "-d", one))
        load.progress(5)
    end = settle()
    load.finish()
    return {**load.result(), **end, "reset": seen}


def _writers() -> dict[str, Any]:
    """Run the tools on the multipath device; return their ends and what came of it on the legs."""
    target = storage.map_node(UNIT)
    _take_attentions()
    way = Direct(target)
    for place in range(8):
        way.write(LBA + place * BLOCKS, _PAGE)
    other = bytes(reversed(_PAGE[:SECTOR_BYTES]))
    cases: list[tuple[str, list[str], bytes]] = [
        ("compare_and_write", _caw(LBA), _PAGE[:SECTOR_BYTES] + other),
        ("miscompare", _caw(LBA + 8), other + other),
        ("write_same", ["sg_write_same", "--16", f"--lba={LBA + 16}", "--num=8"], other),
        ("unmap", ["sg_unmap", "--force", f"--lba={LBA + 24}", "--num=8"], b""),
        ("verify", ["sg_verify", f"--lba={LBA + 32}", "--count=8"], b""),
        ("verify_data", _verify(LBA + 40), _PAGE[:SECTOR_BYTES]),
        ("verify_other", _verify(LBA + 40), other),
        ("discard", ["blkdiscard", *_span(LBA + 48)], b""),
        ("zero", ["blkdiscard", "--zeroout", *_span(LBA + 56)], b""),
    ]
    ends = {}
    for name, argv, data in cases:
        _DATA.write_bytes(data)
        ends[name] = _tool(*argv, *([f"--in={_DATA}"] if data else []), target)[0]
    way.close()
    return {"tools": ends, "pages": {array: _pages(array, other) for array in ("A", "B")}}


def _caw(lba: int) -> list[str]:
    return ["sg_compare_and_write", f"--lba={lba}", "--num=1", f"--xferlen={2 * SECTOR_BYTES}"]


def _verify(lba: int) -> list[str]:
    return ["sg_verify", f"--lba={lba}", "--count=1", f"--ndo={SECTOR_BYTES}"]


def _span(lba: int) -> list[str]:
    return ["--offset", str(lba * SECTOR_BYTES), "--length", str(PAGE_BYTES)]


def _pages(array: str, other: bytes) -> list[str]:
    """Return in words what each page is on an array: old, other, zero, or how it is mixed."""
    names = {_PAGE[:SECTOR_BYTES]: "old", other: "other", bytes(SECTOR_BYTES): "zero"}
    leg = Direct(storage.inspection_node(array, UNIT))
    found = []
    for place in range(8):
        page = leg.read(LBA + place * BLOCKS)
        sectors = [page[at : at + SECTOR_BYTES] for at in range(0, PAGE_BYTES, SECTOR_BYTES)]
        words = [names.get(sector, "?") for sector in sectors]
        found.append(words[0] if len(set(words)) == 1 else ",".join(words))
    leg.close()
    return found


# Tools


def _paths(unit: int = UNIT) -> tuple[str, str]:
    return storage.path_node(1, unit), storage.path_node(2, unit)


def _tool(*argv: str) -> tuple[int, str]:
    done = subprocess.run([*argv], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr


def _in(what: str, path: str) -> str:
    return _tool("sg_persist", "--no-inquiry", "--in", what, path)[1]


def _keys(path: str) -> list[str]:
    return sorted(re.findall(r"^ +(0x[0-9a-f]+)$", _in("-k", path), re.MULTILINE))


def _out(path: str, *words: str) -> int:
    _take_attentions()
    return _tool("sg_persist", "--no-inquiry", "--out", *words, path)[0]


def _states(path: str) -> list[str]:
    """Return the access state of each target port group, as a path tells it."""
    _take_attentions()
    return re.findall(r"access state : 0x0\d \(([^)]*)\)", _tool("sg_rtpg", "-d", path)[1])


def _take_attentions() -> None:
    for path in _paths():
        for _ in range(3):
            _tool("sg_turs", path)


def _transfers(paths: tuple[int, ...] = (1, 2)) -> dict[str, str]:
    """Try to read and to write through each path; return "good" or what the path said."""
    ends = {}
    for number in paths:
        way = Scsi(storage.path_node(number, UNIT))
        for name in ("read", "write"):
            try:
                if name == "read":
                    way.read(LBA - BLOCKS)
                else:
                    way.write(LBA - BLOCKS, _PAGE)
            except CommandError as error:
                ends[f"{name}{number}"] = str(error).partition(", host")[0]
            else:
                ends[f"{name}{number}"] = "good"
        way.close()
    return ends
