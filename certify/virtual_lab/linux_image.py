"""Debian's kernel package, unpacked into the project's cache; the system is not touched."""

import fcntl
import lzma
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from certify.virtual_lab.boot import BootError, cache_folder, need, run_tool

METAPACKAGE = "linux-image-amd64"
BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
WANTED = (
    "./boot/vmlinuz-*",
    "./lib/modules/*/modules.*",
    "./lib/modules/*/kernel/arch/*",
    "./lib/modules/*/kernel/crypto/*",
    "./lib/modules/*/kernel/lib/*",
    "./lib/modules/*/kernel/fs/9p/*",
    "./lib/modules/*/kernel/fs/fscache/*",
    "./lib/modules/*/kernel/fs/netfs/*",
    "./lib/modules/*/kernel/fs/configfs/*",
    "./lib/modules/*/kernel/fs/overlayfs/*",
    "./lib/modules/*/kernel/net/9p/*",
    "./lib/modules/*/kernel/block/*",
    "./lib/modules/*/kernel/drivers/block/*",
    "./lib/modules/*/kernel/drivers/char/*",
    "./lib/modules/*/kernel/drivers/md/*",
    "./lib/modules/*/kernel/drivers/scsi/*",
    "./lib/modules/*/kernel/drivers/target/*",
    "./lib/modules/*/kernel/drivers/uio/*",
    "./lib/modules/*/kernel/drivers/virtio/*",
)
XZ_MAGIC = b"\xfd7zXZ\x00"

INIT = """\
#!/bin/busybox sh
# Mount the host's root file system and go on with the init script that every guest shares.
/bin/busybox mount -t proc proc /proc
for module in $(/bin/busybox cat /modules/order); do
    /bin/busybox insmod "/modules/$module"
done
/bin/busybox mount -t 9p root /host \\
    -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose
/bin/busybox umount /proc
exec /bin/busybox chroot /host /bin/sh "$ZS_INIT"
"""


def folder() -> Path:
    """Return where the package is unpacked; holds lib/modules, vmlinux and initramfs."""
    return cache_folder() / "linux-image"


def vmlinux() -> Path:
    """Return the kernel as an ELF file, which QEMU starts by PVH without unpacking it each time."""
    return folder() / "vmlinux"


def initramfs() -> Path:
    """Return the archive that carries the few modules needed to reach the host's files."""
    return folder() / "initramfs"


def prepare(report: Callable[[str], None]) -> None:
    """Download, unpack and index the newest kernel package once.

    The result appears in one rename, so that an interrupted attempt leaves nothing half done.
    Raises BootError naming what failed.
    """
    if initramfs().exists():
        return
    cache_folder().mkdir(parents=True, exist_ok=True)
    with _lock():
        if initramfs().exists():
            return
        with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="linux-image-") as name:
            work = Path(name)
            report("fetching Debian's kernel package (about 70 MB)")
            archive = _download(work)
            report("unpacking the kernel")
            tree = work / "tree"
            tree.mkdir()
            _unpack(archive, tree)
            if folder().exists():
                shutil.rmtree(folder())
            tree.rename(folder())


@contextmanager
def _lock() -> Iterator[None]:
    with (cache_folder() / "linux-image.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _download(work: Path) -> Path:
    depends = run_tool(["apt-cache", "depends", METAPACKAGE], timeout_s=60)
    names = [line.split()[-1] for line in depends.splitlines() if "Depends:" in line]
    if not names:
        raise BootError(f"apt knows no {METAPACKAGE}; run apt-get update")
    run_tool(["apt-get", "download", names[0]], timeout_s=600, cwd=work)
    return next(work.glob("*.deb"))


def _unpack(archive: Path, tree: Path) -> None:
    dpkg = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE)
    done = subprocess.run(
        ["tar", "-x", "-C", str(tree), "--wildcards", *WANTED],
        stdin=dpkg.stdout,
        capture_output=True,
        text=True,
        check=False,
    )
    # tar exits 2 for a pattern that matched nothing: a module may be built into this kernel.
    if dpkg.wait() or done.returncode not in (0, 2):
        raise BootError(f"{archive.name}: cannot be unpacked: {done.stderr.strip()[-300:]}")
    release = next((tree / "lib/modules").iterdir()).name
    run_tool([need("depmod", package="kmod"), "-b", str(tree), release], timeout_s=60)
    image = next((tree / "boot").glob("vmlinuz-*"))
    (tree / "vmlinux").write_bytes(decompress(image.read_bytes()))
    _build_initramfs(tree, release)


def decompress(image: bytes) -> bytes:
    """Return the ELF kernel inside a bzImage; Debian packs it with xz."""
    start = image.find(XZ_MAGIC)
    while start >= 0:
        try:
            elf = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(image[start:])
        except lzma.LZMAError:
            elf = b""
        if elf.startswith(b"\x7fELF"):
            return elf
        start = image.find(XZ_MAGIC, start + 1)
    raise BootError("the kernel package's vmlinuz holds no xz-packed ELF kernel")


def _build_initramfs(tree: Path, release: str) -> None:
    root = tree / "initramfs.d"
    for name in ("bin", "proc", "host", "modules"):
        (root / name).mkdir(parents=True)
    shutil.copy(need("busybox", package="busybox-static"), root / "bin/busybox")
    order = []
    for module in load_order(tree / "lib/modules" / release):
        shutil.copy(module, root / "modules" / module.name)
        order.append(module.name)
    (root / "modules/order").write_text("\n".join(order) + "\n", encoding="ascii")
    (root / "init").write_text(INIT, encoding="ascii")
    (root / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    archive = subprocess.run(
        [need("cpio", package="cpio"), "--quiet", "-o", "-H", "newc", "-R", "0:0"],
        input=names.encode(),
        capture_output=True,
        cwd=root,
        check=True,
    )
    (tree / "initramfs").write_bytes(archive.stdout)
    shutil.rmtree(root)


def load_order(folder_of_release: Path) -> list[Path]:
    """Return the boot modules with all that they depend on, dependencies first."""
    depends = {}
    for line in (folder_of_release / "modules.dep").read_text(encoding="ascii").splitlines():
        name, _, needs = line.partition(":")
        depends[name] = needs.split()
    by_name = {os.path.basename(name).split(".ko")[0]: name for name in depends}  # noqa: PTH119
    order: list[str] = []
    for module in BOOT_MODULES:
        wanted = by_name.get(module) or by_name.get(module.replace("_", "-"))
        if wanted is None:
            continue  # built into this kernel
        order += [each for each in (*reversed(depends[wanted]), wanted) if each not in order]
    return [folder_of_release / name for name in order]
