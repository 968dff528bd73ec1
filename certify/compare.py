"""Compare the copies of a logical unit, sector by sector, past the system under test."""

import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from certify.devices import find_inspection_disk
from certify.lab import Array, Lab, Leg
from certify.tags import SECTOR_BYTES

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of comparing the legs of one logical unit."""

    unit: str
    equal: bool
    sectors: int
    first_difference_lba: int | None
    detail: str


def comparable_units(lab: Lab) -> dict[str, list[tuple[Array, Leg]]]:
    """Return the logical units of which two or more legs can be read directly, with their legs."""
    legs: dict[str, list[tuple[Array, Leg]]] = {}
    for array in lab.array:
        for leg in array.leg:
            if leg.inspect_wwid:
                legs.setdefault(leg.logical_unit, []).append((array, leg))
    return {unit: found for unit, found in legs.items() if len(found) > 1}


def compare_legs(unit: str, legs: list[tuple[Array, Leg]]) -> Comparison:
    """Compare all legs of one logical unit with the first.

    Raises LabError when a leg's disk is not there and OSError when one cannot be read.
    """
    disks = [find_inspection_disk(array, leg) for array, leg in legs]
    size = min(disk.size_bytes for disk in disks)
    names = " and ".join(array.name for array, _ in legs)
    with ExitStack() as stack:
        readers = [_reader(stack, disk.sd_device) for disk in disks]
        lba = first_difference(readers, size)
    if lba is None:
        detail = f"{unit}: arrays {names} hold the same {size // SECTOR_BYTES:,} sectors"
    else:
        detail = f"{unit}: arrays {names} differ, first at LBA {lba}"
    return Comparison(
        unit=unit,
        equal=lba is None,
        sectors=size // SECTOR_BYTES,
        first_difference_lba=lba,
        detail=detail,
    )


Reader = Callable[[int, int], bytes]
"""Takes an offset and a length in bytes, returns that much."""


def first_difference(readers: list[Reader], size_bytes: int) -> int | None:
    """Return the first sector in which any reader differs from the first one, None if none does."""
    for offset, length in _chunks(size_bytes):
        first, *others = (read(offset, length) for read in readers)
        for other in others:
            if other != first:
                return offset // SECTOR_BYTES + _first_sector(first, other)
    return None


def _chunks(size_bytes: int) -> Iterator[tuple[int, int]]:
    for offset in range(0, size_bytes, CHUNK_BYTES):
        yield offset, min(CHUNK_BYTES, size_bytes - offset)


def _first_sector(first: bytes, other: bytes) -> int:
    """Halve until one sector is left."""
    low, high = 0, len(first) // SECTOR_BYTES
    while high - low > 1:
        middle = (low + high) // 2
        span = slice(low * SECTOR_BYTES, middle * SECTOR_BYTES)
        low, high = (low, middle) if first[span] != other[span] else (middle, high)
    return low


def _reader(stack: ExitStack, device: str) -> Reader:
    descriptor = os.open(device, os.O_RDONLY | os.O_DIRECT)
    stack.callback(os.close, descriptor)
    memory = stack.enter_context(mmap.mmap(-1, CHUNK_BYTES))

    def read(offset: int, length: int) -> bytes:
        got = os.preadv(descriptor, [memory], offset)
        if got < length:
            raise OSError(0, f"{device}: {got} bytes at {offset}, expected {length}")
        return memory[:length]

    return read
