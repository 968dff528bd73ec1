"""Self-describing sectors: what a probe writes, so that a read can tell what went wrong.

Layout of a sector, big-endian:

```
  0  magic            8   b"ZSTALL-1"
  8  run              8   a hash of the run id: data of another run is recognised
 16  writer           4   which probe wrote it
 20  sectors          4   length of the write that this sector belonged to
 24  seq              8   unique in the run, ascending per sector
 32  utc_ns           8   wall clock of the writer
 40  monotonic_ns     8   CLOCK_MONOTONIC of the writer
 48  lba              8   where this sector belongs, in 512-byte sectors
 56  filler         452   chosen by (seq + lba): the body of one version differs from the next
508  crc32c           4   of bytes 0..507 (Castagnoli polynomial, as iSCSI digests: RFC 7143)
```

A sector that decodes but carries another LBA is misplaced; one whose header and body belong to
different versions is torn; anything else whose checksum is wrong is corrupt.

A probe shares one CPU with the system under test, so a byte-wise CRC of every sector is too dear.
A CRC is linear: the state after the header, pushed over 452 bytes, is a table look-up, and the
part of the filler is computed once per filler. Only a damaged sector is checksummed byte by byte.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from hashlib import blake2b, shake_128

SECTOR_BYTES = 512
MAGIC = b"ZSTALL-1"
FILLERS = 251
"""How many different bodies there are. A prime, so that a sector that is rewritten at any regular
interval of the sequence still gets another body each time."""

_PREFIX = struct.Struct(">8sQIIQQQ")
_LBA = struct.Struct(">Q")
_CRC = struct.Struct(">I")
_FILLER_BYTES = SECTOR_BYTES - _PREFIX.size - _LBA.size - _CRC.size
_POLYNOMIAL = 0x82F63B78  # CRC-32C, reflected
_ONES = 0xFFFFFFFF


class SectorState(StrEnum):
    """What a sector that was read turned out to be."""

    VALID = "valid"  # of this run and at home
    ZERO = "zero"  # never written, or wiped
    MISPLACED = "misplaced"  # intact, but belongs to another LBA
    FOREIGN = "foreign"  # intact, but of another run
    TORN = "torn"  # header of one version, body of another
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """The identity of one write."""

    run: int
    writer: int
    seq: int
    utc_ns: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sector:
    """One sector as it was read; `seq` and `lba` are -1 where they cannot be told."""

    state: SectorState
    seq: int = -1
    lba: int = -1


def run_number(run_id: str) -> int:
    """Return the 64-bit number that stands for *run_id* in every sector."""
    return int.from_bytes(blake2b(run_id.encode(), digest_size=8).digest())


def _make_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        state = index
        for _ in range(8):
            state = (state >> 1) ^ (_POLYNOMIAL if state & 1 else 0)
        table.append(state)
    return tuple(table)


_TABLE = _make_table()


def _advance(state: int, data: bytes) -> int:
    table = _TABLE
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of *data*; the check value of b"123456789" is 0xE3069283."""
    return _advance(_ONES, data) ^ _ONES


@cache
def _push_tables() -> tuple[tuple[int, ...], ...]:
    """Tables that advance a CRC state over one filler's length of zero bytes."""
    zeros = bytes(_FILLER_BYTES)
    basis = [_advance(1 << bit, zeros) for bit in range(32)]
    tables = []
    for byte_index in range(4):
        table = [0] * 256
        for value in range(256):
            for bit in range(8):
                if value >> bit & 1:
                    table[value] ^= basis[8 * byte_index + bit]
        tables.append(tuple(table))
    return tuple(tables)


@cache
def _filler(index: int) -> tuple[bytes, int]:
    """Return the filler and its share of the CRC."""
    body = shake_128(b"zerostall filler %d" % index).digest(_FILLER_BYTES)
    return body, _advance(0, body)


def encode(tag: Tag, lba: int, sectors: int) -> bytes:
    """Return the data of one write of *sectors* sectors at *lba* (512-byte units)."""
    prefix = _PREFIX.pack(
        MAGIC, tag.run, tag.writer, sectors, tag.seq, tag.utc_ns, tag.monotonic_ns
    )
    return _assemble(prefix, tag.seq, lba, sectors)


def _assemble(prefix: bytes, seq: int, lba: int, sectors: int) -> bytes:
    low, second, third, high = _push_tables()
    start = _advance(_ONES, prefix)
    parts: list[bytes] = []
    for home in range(lba, lba + sectors):
        address = _LBA.pack(home)
        state = _advance(start, address)
        body, share = _filler((seq + home) % FILLERS)
        crc = (
            low[state & 0xFF]
            ^ second[state >> 8 & 0xFF]
            ^ third[state >> 16 & 0xFF]
            ^ high[state >> 24]
            ^ share
            ^ _ONES
        )
        parts += (prefix, address, body, _CRC.pack(crc))
    return b"".join(parts)


def observe(data: bytes, lba: int, *, run: int) -> tuple[int, str]:
    """Tell what a read of *data* at *lba* returned, as the two last fields of an IoRecord.

    Returns (seq, "") when every sector is valid, at home and of the same version; otherwise
    (-1, the sectors one by one, as `parse_sectors` reads them).
    """
    prefix = data[: _PREFIX.size]
    magic, seen_run, _, _, seq, _, _ = _PREFIX.unpack(prefix)
    own = magic == MAGIC and seen_run == run
    # Building the expected block and comparing costs less than taking each sector apart.
    if own and data == _assemble(prefix, seq, lba, len(data) // SECTOR_BYTES):
        return seq, ""
    sectors = decode(data, lba, run=run)
    versions = {sector.seq for sector in sectors}
    if len(versions) == 1 and all(sector.state is SectorState.VALID for sector in sectors):
        return versions.pop(), ""
    return -1, format_sectors(sectors)


def decode(data: bytes, lba: int, *, run: int) -> list[Sector]:
    """Take a read apart, sector by sector."""
    return [
        _decode_sector(data[at : at + SECTOR_BYTES], lba + at // SECTOR_BYTES, run)
        for at in range(0, len(data), SECTOR_BYTES)
    ]


def _decode_sector(data: bytes, home: int, run: int) -> Sector:
    if not any(data):
        return Sector(state=SectorState.ZERO)
    magic, seen_run, _, _, seq, _, _ = _PREFIX.unpack_from(data)
    lba = _LBA.unpack_from(data, _PREFIX.size)[0]
    intact = crc32c(data[: -_CRC.size]) == _CRC.unpack_from(data, SECTOR_BYTES - _CRC.size)[0]
    if magic != MAGIC:
        return Sector(state=SectorState.CORRUPT)
    if not intact:
        body = data[_PREFIX.size + _LBA.size : -_CRC.size]
        return Sector(state=_broken(body, (seq + lba) % FILLERS), seq=seq, lba=lba)
    if seen_run != run:
        return Sector(state=SectorState.FOREIGN, seq=seq, lba=lba)
    state = SectorState.VALID if lba == home else SectorState.MISPLACED
    return Sector(state=state, seq=seq, lba=lba)


def _broken(body: bytes, expected: int) -> SectorState:
    """Tell a sector of two versions (its body begins or ends like another one's) from damage."""
    edge = 64
    for index in range(FILLERS):
        other = _filler(index)[0]
        if index != expected and (body[-edge:] == other[-edge:] or body[:edge] == other[:edge]):
            return SectorState.TORN
    return SectorState.CORRUPT


def format_sectors(sectors: list[Sector]) -> str:
    """Write sectors as text, one word each: "17@8", "zero", "misplaced:17@2048", "torn:17@8"."""
    return ",".join(_format(sector) for sector in sectors)


def _format(sector: Sector) -> str:
    if sector.state is SectorState.VALID:
        return f"{sector.seq}@{sector.lba}"
    if sector.seq < 0:
        return str(sector.state)
    return f"{sector.state}:{sector.seq}@{sector.lba}"


def parse_sectors(text: str) -> list[Sector]:
    """Read what `format_sectors` wrote; raise ValueError for anything else."""
    return [_parse(part) for part in text.split(",")] if text else []


def _parse(part: str) -> Sector:
    head, _, place = part.rpartition(":") if ":" in part else ("", "", part)
    if "@" not in place:
        return Sector(state=SectorState(place))
    seq, _, lba = place.partition("@")
    state = SectorState(head) if head else SectorState.VALID
    return Sector(state=state, seq=int(seq), lba=int(lba))
