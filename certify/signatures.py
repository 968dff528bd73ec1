"""What the first and last bytes of a disk say that it holds. Pure; offsets in bytes.

The places are those of the formats' own headers: ext4 (fs/ext4/ext4.h), XFS (xfs_format.h), btrfs
(fs/btrfs/disk-io.h), swap (mm/swapfile.c), MD (md_p.h), LVM2 (label.h), LUKS (on-disk format), and
so on; blkid(8) looks at the same ones.
"""

from dataclasses import dataclass

HEAD_BYTES = 128 << 10
TAIL_BYTES = 128 << 10
OWN_LABEL = b"zerostall"
"""The volume label of a file system that the suite itself made, which it may overwrite."""

_MD_MAGIC = (0xA92B4EFC).to_bytes(4, "little")
_MD_ALIGN = 64 << 10
_EXT_LABEL = slice(1024 + 0x78, 1024 + 0x88)
_XFS_LABEL = slice(108, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Magic:
    name: str
    at: int
    text: bytes


_MAGICS = (
    _Magic(name="ext2/3/4 file system", at=1080, text=b"\x53\xef"),
    _Magic(name="XFS file system", at=0, text=b"XFSB"),
    _Magic(name="btrfs file system", at=65600, text=b"_BHRfS_M"),
    _Magic(name="NTFS file system", at=3, text=b"NTFS    "),
    _Magic(name="exFAT file system", at=3, text=b"EXFAT   "),
    _Magic(name="FAT file system", at=54, text=b"FAT1"),
    _Magic(name="FAT file system", at=82, text=b"FAT32   "),
    _Magic(name="ReFS file system", at=3, text=b"ReFS\0\0\0\0"),
    _Magic(name="ISO 9660 file system", at=32769, text=b"CD001"),
    _Magic(name="swap space", at=4086, text=b"SWAPSPACE2"),
    _Magic(name="LUKS volume", at=0, text=b"LUKS\xba\xbe"),
    _Magic(name="Oracle ASM disk", at=32, text=b"ORCLDISK"),
    _Magic(name="bcache device", at=4120, text=bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81")),
    _Magic(name="MD member", at=0, text=_MD_MAGIC),
    _Magic(name="MD member", at=4096, text=_MD_MAGIC),
)
_LVM_SECTORS = (0, 512, 1024, 1536)


def holds(head: bytes, tail: bytes, size_bytes: int) -> str:
    """Return what a disk holds by its first and last bytes, "" if it shows no sign of anything.

    *tail* ends where the disk of *size_bytes* ends. A file system with our own label is nothing.
    """
    for magic in _MAGICS:
        if head[magic.at : magic.at + len(magic.text)] == magic.text:
            label = label_of(head, magic.name)
            if label == OWN_LABEL:
                return ""
            words = f' labelled "{label.decode("latin-1")}"' if label else ""
            return magic.name + words
    for at in _LVM_SECTORS:
        if head[at : at + 8] == b"LABELONE" and head[at + 24 : at + 32] == b"LVM2 001":
            return "LVM physical volume"
    return "MD member" if _md_at_the_end(tail, size_bytes) else ""


def label_of(head: bytes, name: str) -> bytes:
    """Return the volume label of a file system that has one in its header."""
    where = _EXT_LABEL if name.startswith("ext") else _XFS_LABEL if name.startswith("XFS") else None
    return head[where].rstrip(b"\0") if where else b""


def _md_at_the_end(tail: bytes, size_bytes: int) -> bool:
    """Look where MD's formats 0.90 and 1.0 put their superblock (Documentation, md(4))."""
    places = ((size_bytes & ~(_MD_ALIGN - 1)) - _MD_ALIGN, (size_bytes // 512 - 16 & ~7) * 512)
    start = size_bytes - len(tail)
    return any(
        place >= start and tail[place - start : place - start + 4] == _MD_MAGIC for place in places
    )
