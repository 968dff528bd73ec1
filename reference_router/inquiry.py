"""INQUIRY data: the standard page and the vital product data pages (SPC-4 6.6, 7.8; SBC-3 6.6)."""

from collections.abc import Callable
from dataclasses import dataclass

_BINARY, _ASCII = 1, 2  # code sets
_LOGICAL_UNIT, _TARGET_PORT = 0, 1  # associations
_T10_VENDOR, _NAA, _RELATIVE_PORT, _PORT_GROUP = 1, 3, 4, 5  # designator types
# SAM-5, SPC-4, SBC-3 without a claim to a certain revision (SPC-4 table 144)
_VERSION_DESCRIPTORS = (0x00A0, 0x0460, 0x04C0)
_SPC_4 = 0x06
_COMPARE_AND_WRITE_MAX_BLOCKS = 255
UNMAP_DESCRIPTORS_MAX = 1  # a command becomes one transfer
_RESOURCE_PROVISIONED = 1  # blocks are there whether mapped or not (SBC-3 4.7.3.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a logical unit says of itself through one engine's port.

    `naa` is the 16-byte NAA designator, the same through every engine. `engine_id` is the relative
    target port and the target port group at the same time: one port and one group per engine.
    `max_write_same_blocks` is also the limit of UNMAP, which writes zeros.
    """

    vendor: str
    product: str
    revision: str
    serial: str
    naa: bytes
    engine_id: int
    max_transfer_blocks: int
    max_write_same_blocks: int = 2048

    @property
    def max_compare_and_write_blocks(self) -> int:
        """The largest COMPARE AND WRITE; its CDB has one byte for the number of blocks."""
        return min(_COMPARE_AND_WRITE_MAX_BLOCKS, self.max_transfer_blocks)


def standard_inquiry(identity: Identity) -> bytes:
    """Return the standard INQUIRY data, 74 bytes (SPC-4 6.6.2)."""
    data = bytearray(74)
    data[2] = _SPC_4
    data[3] = 0x12  # HISUP, response data format 2
    data[4] = len(data) - 5
    data[5] = 0x30  # TPGS = 11b: engines decide, and hosts may by SET TARGET PORT GROUPS
    data[6] = 0x10  # MULTIP: two ports
    data[7] = 0x02  # CMDQUE
    data[8:16] = _ascii(identity.vendor, 8)
    data[16:32] = _ascii(identity.product, 16)
    data[32:36] = _ascii(identity.revision, 4)
    for index, descriptor in enumerate(_VERSION_DESCRIPTORS):
        data[58 + 2 * index : 60 + 2 * index] = descriptor.to_bytes(2, "big")
    return bytes(data)


def vital_product_data(identity: Identity, page: int) -> bytes | None:
    """Return VPD page `page` with its header, or None if there is no such page."""
    build = _PAGES.get(page)
    if build is None:
        return None
    body = build(identity)
    return bytes((0, page)) + len(body).to_bytes(2, "big") + body


def _supported_pages(_: Identity) -> bytes:
    return bytes(sorted(_PAGES))


def _unit_serial_number(identity: Identity) -> bytes:
    return identity.serial.encode("ascii")


def _device_identification(identity: Identity) -> bytes:
    port = identity.engine_id.to_bytes(4, "big")
    t10 = _ascii(identity.vendor, 8) + identity.serial.encode("ascii")
    return b"".join(
        (
            _designator(_BINARY, _LOGICAL_UNIT, _NAA, identity.naa),
            _designator(_ASCII, _LOGICAL_UNIT, _T10_VENDOR, t10),
            _designator(_BINARY, _TARGET_PORT, _RELATIVE_PORT, port),
            _designator(_BINARY, _TARGET_PORT, _PORT_GROUP, port),
        )
    )


def _designator(code_set: int, association: int, kind: int, value: bytes) -> bytes:
    return bytes((code_set, association << 4 | kind, 0, len(value))) + value


def _extended_inquiry(_: Identity) -> bytes:
    body = bytearray(60)
    body[1] = 0x01  # SIMPSUP: simple task attribute
    return bytes(body)


def _block_limits(identity: Identity) -> bytes:
    """Limits in blocks (SBC-3 6.6.3). UNMAP and WRITE SAME have the same ones."""
    body = bytearray(60)
    body[0] = 0x01  # WSNZ: WRITE SAME of 0 blocks, up to the end, is refused
    body[1] = identity.max_compare_and_write_blocks
    body[2:4] = (1).to_bytes(2, "big")  # optimal transfer length granularity
    body[4:8] = identity.max_transfer_blocks.to_bytes(4, "big")
    body[8:12] = identity.max_transfer_blocks.to_bytes(4, "big")
    body[16:20] = identity.max_write_same_blocks.to_bytes(4, "big")  # UNMAP
    body[20:24] = UNMAP_DESCRIPTORS_MAX.to_bytes(4, "big")
    body[24:28] = (1).to_bytes(4, "big")  # optimal unmap granularity
    body[32:40] = identity.max_write_same_blocks.to_bytes(8, "big")
    return bytes(body)


def _block_characteristics(_: Identity) -> bytes:
    body = bytearray(60)
    body[0:2] = (1).to_bytes(2, "big")  # medium rotation rate: non-rotating
    return bytes(body)


def _logical_block_provisioning(_: Identity) -> bytes:
    """UNMAP and WRITE SAME unmap by writing zeros, so the blocks read as zeros: LBPRZ.

    SBC-3 6.6.4: LBPU, LBPWS, LBPWS10, LBPRZ; no anchors.
    """
    return bytes((0, 0x80 | 0x40 | 0x20 | 0x04, _RESOURCE_PROVISIONED, 0))


def _ascii(text: str, width: int) -> bytes:
    return text.ljust(width)[:width].encode("ascii")


_PAGES: dict[int, Callable[[Identity], bytes]] = {
    0x00: _supported_pages,
    0x80: _unit_serial_number,
    0x83: _device_identification,
    0x86: _extended_inquiry,
    0xB0: _block_limits,
    0xB1: _block_characteristics,
    0xB2: _logical_block_provisioning,
}
