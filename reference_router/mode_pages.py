"""MODE SENSE(6) and (10): header, block descriptor and pages (SPC-4 6.11, 7.5; SBC-3 6.5).

Nothing can be changed: MODE SELECT is not there, and changeable values are all zero.
"""

from enum import IntEnum

from reference_router.scsi import BLOCK_BYTES

ALL_PAGES = 0x3F
ALL_SUBPAGES = 0xFF
_DPOFUA = 0x10  # every write goes to the medium before GOOD, so FUA costs nothing


class PageControl(IntEnum):
    """The PC field: which values are asked for."""

    CURRENT = 0
    CHANGEABLE = 1
    DEFAULT = 2
    SAVED = 3


# Read-write error recovery: the router itself does none, the arrays do.
_ERROR_RECOVERY = bytes((0x01, 10)) + bytes(10)
# Caching: WCE = 0 (no write cache), RCD = 1 (no read cache).
_CACHING = bytes((0x08, 18, 0x01)) + bytes(17)
# Control: QUEUE ALGORITHM MODIFIER 1 (unrestricted), D_SENSE 0; BUSY TIMEOUT PERIOD unlimited.
_CONTROL = bytes((0x0A, 10, 0x00, 0x10, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0))
_INFORMATIONAL_EXCEPTIONS = bytes((0x1C, 10, 0x08)) + bytes(9)  # DEXCPT: none are reported
_PAGES = {page[0]: page for page in (_ERROR_RECOVERY, _CACHING, _CONTROL)}
_PAGES[_INFORMATIONAL_EXCEPTIONS[0]] = _INFORMATIONAL_EXCEPTIONS


def mode_pages(page: int, subpage: int, control: PageControl) -> bytes | None:
    """Return the page or pages asked for, or None if there is no such page or subpage."""
    if subpage not in (0, ALL_SUBPAGES):
        return None
    if page == ALL_PAGES:
        chosen = [_PAGES[code] for code in sorted(_PAGES)]
    elif page in _PAGES:
        chosen = [_PAGES[page]]
    else:
        return None
    if control is PageControl.CHANGEABLE:
        chosen = [found[:2] + bytes(len(found) - 2) for found in chosen]
    return b"".join(chosen)


def mode_parameters_6(pages: bytes, *, blocks: int | None) -> bytes:
    """Return MODE SENSE(6) data; `blocks` None means without a block descriptor."""
    descriptor = b"" if blocks is None else _short_descriptor(blocks)
    header = bytes((3 + len(descriptor) + len(pages), 0, _DPOFUA, len(descriptor)))
    return header + descriptor + pages


def mode_parameters_10(pages: bytes, *, blocks: int | None, long: bool) -> bytes:
    """Return MODE SENSE(10) data; `long` chooses the 16-byte block descriptor (LLBAA)."""
    descriptor = b""
    if blocks is not None:
        descriptor = _long_descriptor(blocks) if long else _short_descriptor(blocks)
    header = bytearray(8)
    header[0:2] = (6 + len(descriptor) + len(pages)).to_bytes(2, "big")
    header[3] = _DPOFUA
    header[4] = 0x01 if long and descriptor else 0x00
    header[6:8] = len(descriptor).to_bytes(2, "big")
    return bytes(header) + descriptor + pages


def _short_descriptor(blocks: int) -> bytes:
    return min(blocks, 0xFFFFFFFF).to_bytes(4, "big") + BLOCK_BYTES.to_bytes(4, "big")


def _long_descriptor(blocks: int) -> bytes:
    return blocks.to_bytes(8, "big") + bytes(4) + BLOCK_BYTES.to_bytes(4, "big")
