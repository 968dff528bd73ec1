"""A set of regions as a bitmap: what must be copied to a leg, or repaired. Pure."""

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator


class RegionMapError(Exception):
    """The text is not a map of that many regions."""


class RegionMap:
    """A set of region numbers below `regions`; a bit each, so that a large unit costs little."""

    __slots__ = ("_bits", "_count", "regions")

    def __init__(self, regions: int, members: Iterable[int] = ()) -> None:
        self.regions = regions
        self._bits = bytearray(-(-regions // 8))
        self._count = 0
        self.update(members)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, region: int) -> bool:
        return bool(self._bits[region >> 3] & 1 << (region & 7))

    def __iter__(self) -> Iterator[int]:
        for index, byte in enumerate(self._bits):
            if byte:
                yield from (index << 3 | bit for bit in range(8) if byte >> bit & 1)

    def add(self, region: int) -> None:
        """Put a region in."""
        bit = 1 << (region & 7)
        if not self._bits[region >> 3] & bit:
            self._bits[region >> 3] |= bit
            self._count += 1

    def discard(self, region: int) -> None:
        """Take a region out, if it is in."""
        bit = 1 << (region & 7)
        if self._bits[region >> 3] & bit:
            self._bits[region >> 3] &= ~bit
            self._count -= 1

    def update(self, members: Iterable[int]) -> None:
        """Put regions in."""
        for region in members:
            self.add(region)

    def clear(self) -> None:
        """Take all regions out."""
        self._bits = bytearray(len(self._bits))
        self._count = 0

    def fill(self) -> None:
        """Put all regions in."""
        self._bits = bytearray(b"\xff" * len(self._bits))
        if self.regions & 7:
            self._bits[-1] = (1 << (self.regions & 7)) - 1
        self._count = self.regions

    def first(self, start: int = 0) -> int:
        """Return the first region in the map from `start` on, going round; -1 if it is empty."""
        if not self._count:
            return -1
        size = len(self._bits)
        for offset in range(size + 1):
            index = ((start >> 3) + offset) % size
            byte = self._bits[index]
            if offset == 0:
                byte &= 0xFF << (start & 7)
            if byte:
                return index << 3 | (byte & -byte).bit_length() - 1
        return -1

    def dump(self) -> str:
        """Return the map as text: the bitmap, deflated, in base 64."""
        return base64.b64encode(zlib.compress(self._bits, 1)).decode("ascii")

    def load(self, text: str) -> None:
        """Take over the map in `text`. Raises RegionMapError and leaves this one as it was."""
        size = len(self._bits)
        try:
            inflate = zlib.decompressobj()
            bits = bytearray(inflate.decompress(base64.b64decode(text, validate=True), size + 1))
        except (binascii.Error, ValueError, zlib.error) as error:
            raise RegionMapError(f"region map: {error}") from error
        spare = bits[-1] >> (self.regions & 7) if self.regions & 7 and len(bits) == size else 0
        if len(bits) != size or spare:
            raise RegionMapError(
                f"region map: expected {self.regions} regions, seen {len(bits)} bytes"
            )
        self._bits = bits
        self._count = int.from_bytes(bits, "big").bit_count()
