"""INQUIRY data and vital product data pages, decoded (SPC-6 6.7 and 7.7, SBC-5 6.6)."""

from dataclasses import dataclass
from enum import IntEnum


class Page(IntEnum):
    """Vital product data pages that the suite reads."""

    SUPPORTED = 0x00
    SERIAL = 0x80
    DESIGNATORS = 0x83
    EXTENDED_INQUIRY = 0x86
    BLOCK_LIMITS = 0xB0
    BLOCK_CHARACTERISTICS = 0xB1
    LOGICAL_BLOCK_PROVISIONING = 0xB2


class Association(IntEnum):
    """What a designator names, SPC-6 7.7.6.1."""

    LOGICAL_UNIT = 0
    TARGET_PORT = 1
    TARGET_DEVICE = 2


class DesignatorKind(IntEnum):
    """Designator types, SPC-6 7.7.6.1."""

    VENDOR = 0
    T10 = 1
    EUI64 = 2
    NAA = 3
    RELATIVE_PORT = 4
    PORT_GROUP = 5
    LOGICAL_UNIT_GROUP = 6
    MD5 = 7
    NAME_STRING = 8


UNIT_NAMES: tuple[int, ...] = (
    DesignatorKind.NAA,
    DesignatorKind.EUI64,
    DesignatorKind.NAME_STRING,
    DesignatorKind.T10,
    DesignatorKind.VENDOR,
)
"""Kinds that name one logical unit, best first, as udev's scsi_id ranks them."""

TEXT_CODE_SETS = (2, 3)
"""ASCII and UTF-8."""


class DecodeError(ValueError):
    """Data from a target is shorter or other than its standard says; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardInquiry:
    """The first 36 bytes and what the suite asks of the rest."""

    peripheral_qualifier: int
    peripheral_type: int
    version: int
    response_format: int
    additional_length: int
    target_port_group_support: int
    command_queuing: bool
    vendor: str
    product: str
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Designator:
    """One designation descriptor of page 83h."""

    association: int
    kind: int
    code_set: int
    value: bytes

    @property
    def text(self) -> str:
        """The value as Linux prints it: hex of binary ones, text without padding."""
        if self.code_set in TEXT_CODE_SETS:
            return self.value.rstrip(b"\0 ").decode("utf-8", "replace")
        return self.value.hex()

    @property
    def wwid(self) -> str:
        """The name that udev's scsi_id and multipath make of it: type digit, then the value."""
        return f"{self.kind:x}{self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """READ CAPACITY data. `last_lba` is FFFFFFFFh when ten bytes cannot say it."""

    last_lba: int
    block_bytes: int
    blocks_per_physical: int = 1

    @property
    def size_bytes(self) -> int:
        """The size of the logical unit."""
        return (self.last_lba + 1) * self.block_bytes


def decode_standard(data: bytes) -> StandardInquiry:
    """Decode standard INQUIRY data; raise DecodeError below 36 bytes."""
    _at_least(data, 36, "standard INQUIRY data")
    return StandardInquiry(
        peripheral_qualifier=data[0] >> 5,
        peripheral_type=data[0] & 0x1F,
        version=data[2],
        response_format=data[3] & 0x0F,
        additional_length=data[4],
        target_port_group_support=data[5] >> 4 & 3,
        command_queuing=bool(data[7] & 0x02),
        vendor=_ascii(data[8:16]),
        product=_ascii(data[16:32]),
        revision=_ascii(data[32:36]),
    )


def page_body(data: bytes, page: int) -> bytes:
    """Return a page without its header; raise DecodeError for another page or a short one."""
    _at_least(data, 4, f"VPD page {page:02x}h")
    if data[1] != page:
        raise DecodeError(f"VPD page {page:02x}h: the header says page {data[1]:02x}h")
    length = int.from_bytes(data[2:4])
    _at_least(data, 4 + length, f"VPD page {page:02x}h")
    return data[4 : 4 + length]


def decode_serial(data: bytes) -> str:
    """Return the unit serial number of page 80h."""
    return _ascii(page_body(data, Page.SERIAL))


def decode_designators(data: bytes) -> list[Designator]:
    """Return the designators of page 83h in their order."""
    body = page_body(data, Page.DESIGNATORS)
    found: list[Designator] = []
    position = 0
    while position < len(body):
        _at_least(body, position + 4, "designator header in VPD page 83h")
        end = position + 4 + body[position + 3]
        _at_least(body, end, "designator in VPD page 83h")
        found.append(
            Designator(
                association=body[position + 1] >> 4 & 3,
                kind=body[position + 1] & 0x0F,
                code_set=body[position] & 0x0F,
                value=body[position + 4 : end],
            )
        )
        position = end
    return found


def unit_wwids(designators: list[Designator]) -> list[str]:
    """Return every name of the logical unit by which multipath may call it, NAA first."""
    of_unit = [
        designator
        for designator in designators
        if designator.association == Association.LOGICAL_UNIT and designator.kind in UNIT_NAMES
    ]
    return [one.wwid for one in sorted(of_unit, key=lambda one: UNIT_NAMES.index(one.kind))]


def decode_capacity_10(data: bytes) -> Capacity:
    """Decode READ CAPACITY(10) data, SBC-5 5.20.2."""
    _at_least(data, 8, "READ CAPACITY(10) data")
    return Capacity(last_lba=int.from_bytes(data[:4]), block_bytes=int.from_bytes(data[4:8]))


def decode_capacity_16(data: bytes) -> Capacity:
    """Decode READ CAPACITY(16) data, SBC-5 5.21.2."""
    _at_least(data, 32, "READ CAPACITY(16) data")
    return Capacity(
        last_lba=int.from_bytes(data[:8]),
        block_bytes=int.from_bytes(data[8:12]),
        blocks_per_physical=1 << (data[13] & 0x0F),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPortGroup:
    """One descriptor of REPORT TARGET PORT GROUPS data."""

    group: int
    asymmetric_access_state: int
    preferred: bool
    ports: tuple[int, ...]


def decode_target_port_groups(data: bytes) -> list[TargetPortGroup]:
    """Decode REPORT TARGET PORT GROUPS data in length-only format, SPC-6 6.36.2."""
    _at_least(data, 4, "REPORT TARGET PORT GROUPS data")
    end = 4 + int.from_bytes(data[:4])
    _at_least(data, end, "REPORT TARGET PORT GROUPS data")
    groups: list[TargetPortGroup] = []
    position = 4
    while position < end:
        _at_least(data, position + 8, "target port group descriptor")
        ports_end = position + 8 + 4 * data[position + 7]
        _at_least(data, ports_end, "target port descriptors")
        ports = range(position + 8, ports_end, 4)
        groups.append(
            TargetPortGroup(
                group=int.from_bytes(data[position + 2 : position + 4]),
                asymmetric_access_state=data[position] & 0x0F,
                preferred=bool(data[position] & 0x80),
                ports=tuple(int.from_bytes(data[at + 2 : at + 4]) for at in ports),
            )
        )
        position = ports_end
    return groups


def _at_least(data: bytes, length: int, what: str) -> None:
    if len(data) < length:
        raise DecodeError(f"{what}: expected at least {length} bytes, got {len(data)}")


def _ascii(data: bytes) -> str:
    return data.rstrip(b"\0 ").decode("ascii", "replace").strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLimits:
    """What page B0h limits, in blocks; 0 is "not reported", and of UNMAP "not supported"."""

    write_same_nonzero: bool
    compare_and_write_most: int
    transfer_most: int
    unmap_blocks_most: int
    unmap_descriptors_most: int
    write_same_most: int


def decode_block_limits(data: bytes) -> BlockLimits:
    """Decode page B0h of any of its lengths (SBC-4 Block Limits VPD page)."""
    body = page_body(data, Page.BLOCK_LIMITS).ljust(60, b"\0")
    return BlockLimits(
        write_same_nonzero=bool(body[0] & 0x01),
        compare_and_write_most=body[1],
        transfer_most=int.from_bytes(body[4:8]),
        unmap_blocks_most=int.from_bytes(body[16:20]),
        unmap_descriptors_most=int.from_bytes(body[20:24]),
        write_same_most=int.from_bytes(body[32:40]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioning:
    """What page B2h tells of unmapping (SBC-4 Logical Block Provisioning VPD page)."""

    unmap: bool
    write_same_16: bool
    write_same_10: bool
    reads_zeros: bool
    anchors: bool


def decode_provisioning(data: bytes) -> Provisioning:
    """Decode page B2h; LBPRZ is three bits of which 001b and xx1b mean zeros."""
    body = page_body(data, Page.LOGICAL_BLOCK_PROVISIONING).ljust(4, b"\0")
    return Provisioning(
        unmap=bool(body[1] & 0x80),
        write_same_16=bool(body[1] & 0x40),
        write_same_10=bool(body[1] & 0x20),
        reads_zeros=bool(body[1] & 0x04),
        anchors=bool(body[1] & 0x02),
    )
