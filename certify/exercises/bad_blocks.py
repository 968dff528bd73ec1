"""A5: blocks that one array cannot read are read through every path, and must be there."""

from certify import cdb, sg
from certify.compare import comparable_units
from certify.devices import PathDevice, find_inspection_disk
from certify.exercise import ExerciseKind, Stage
from certify.exercises.in_fault import InFault
from certify.health import settle
from certify.lab import Lab
from certify.load import load_unit
from certify.tags import SECTOR_BYTES

NAME = "bad blocks"
BLOCKS = 8
TIMEOUT_MS = 10_000
BAD_LBAS = tuple(region * 2048 + 1024 for region in (1, 7, 18, 29, 40, 51))
"""Blocks that the load writes too, in regions of 1 MiB far from each other: a mirror that reads
some regions from one array and some from the other has to meet some of them."""


def read_bad_blocks(stage: Stage) -> None:
    """Read the blocks through every path, twice, then look how many the array can read again."""
    paths = stage.devices.of_unit(load_unit(stage.lab))
    failed = [text for _ in range(2) for path in paths for text in _failures(path)]
    total = 2 * len(paths) * len(BAD_LBAS)
    observed = f"{total - len(failed)} of {total}{_again(stage)}"
    if failed:
        observed += f"; first failure: {failed[0]}"
    expected = "every read GOOD through every path"
    stage.report(NAME, expected=expected, observed=observed, good=not failed)


def _failures(path: PathDevice) -> list[str]:
    """Return a line for each of the blocks that cannot be read through *path*."""
    with sg.opened(path.disk.sg_device, nonblocking=True) as descriptor:
        settle(descriptor)
        ended = {
            lba: sg.execute(
                descriptor,
                cdb.read(lba * SECTOR_BYTES // path.disk.block_bytes, BLOCKS, width=16),
                data_in_length=BLOCKS * path.disk.block_bytes,
                timeout_ms=TIMEOUT_MS,
            )
            for lba in BAD_LBAS
        }
    return [f"{path.path}, LBA {lba}: {one}" for lba, one in ended.items() if not one.is_good]


def _again(stage: Stage) -> str:
    """Tell how many of the blocks the array itself can read by now: it was given them again."""
    legs = comparable_units(stage.lab).get(load_unit(stage.lab), [])
    if not legs:
        return ""
    disk = find_inspection_disk(*legs[0])
    with sg.opened(disk.sg_device, nonblocking=True) as descriptor:
        settle(descriptor)
        good = sum(
            sg.execute(
                descriptor,
                cdb.read(lba * SECTOR_BYTES // disk.block_bytes, BLOCKS, width=16),
                data_in_length=BLOCKS * disk.block_bytes,
                timeout_ms=TIMEOUT_MS,
            ).is_good
            for lba in BAD_LBAS
        )
    return f"; the array can read {good} of {len(BAD_LBAS)} of them again"


def _lacks(lab: Lab) -> str:
    return "" if lab.path else "the lab file names no path"


BAD_BLOCKS_READ = ExerciseKind(
    name=NAME,
    make=lambda stage: InFault(name=NAME, stage=stage, after_s=1.0, act=read_bad_blocks),
    lacks=_lacks,
)
