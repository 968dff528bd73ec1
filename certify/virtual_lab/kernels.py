"""Which kernel a lab boots: probed in the order KVM, UML, TCG, or chosen by hand."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from certify.virtual_lab import linux_image
from certify.virtual_lab.boot import BootError, Kernel, cache_folder
from certify.virtual_lab.qemu import Kvm, Tcg
from certify.virtual_lab.uml import MODULES, Uml

KERNELS: dict[str, type[Kernel]] = {"kvm": Kvm, "uml": Uml, "tcg": Tcg}
KVM_PROBE_TIMEOUT_S = 6.0
KVM_DEVICE = Path("/dev/kvm")


def by_name(name: str) -> Kernel:
    """Return the kernel called *name*; raise BootError listing the names if there is none."""
    if name not in KERNELS:
        raise BootError(f"no kernel is called {name!r}; expected one of {', '.join(KERNELS)}")
    return KERNELS[name]()


def choose(name: str | None, report: Callable[[str], None]) -> Kernel:
    """Return the kernel to boot: *name*, or the first of KVM, UML, TCG that works here.

    Raises BootError when none does.
    """
    if name:
        return by_name(name)
    if kvm_works(report):
        return Kvm()
    if shutil.which("linux.uml") and MODULES.is_dir():
        return Uml()
    if shutil.which("qemu-system-x86_64"):
        return Tcg()
    raise BootError(
        "no kernel can be booted here: install the Debian package user-mode-linux or "
        "qemu-system-x86"
    )


def kvm_works(report: Callable[[str], None]) -> bool:
    """Return whether a guest really boots by KVM; /dev/kvm may open and guests hang all the same.

    The answer is kept until the machine boots again.
    """
    if not (os.access(KVM_DEVICE, os.R_OK | os.W_OK) and shutil.which("qemu-system-x86_64")):
        return False
    note = cache_folder() / "kvm-probe"
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    if note.exists():
        seen_boot, _, answer = note.read_text(encoding="ascii").partition(" ")
        if seen_boot == boot_id:
            return answer.strip() == "works"
    report("probing KVM with a boot")
    linux_image.prepare(report)
    works = _probe_boot()
    report(
        "KVM works"
        if works
        else f"KVM opens, but a guest did not boot in {KVM_PROBE_TIMEOUT_S:.0f} s"
    )
    note.write_text(f"{boot_id} {'works' if works else 'hangs'}\n", encoding="ascii")
    return works


def _probe_boot() -> bool:
    """Boot the kernel with nothing to run: one that works panics at once and the guest ends."""
    with tempfile.TemporaryFile() as console:
        argv = [
            *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot"),
            *("-display", "none", "-machine", "q35", *Kvm.accelerator, "-m", "256M"),
            *("-kernel", str(linux_image.vmlinux()), "-serial", "stdio"),
            *("-append", "console=ttyS0 panic=-1"),
        ]
        try:
            subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                timeout=KVM_PROBE_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        console.seek(0)
        return b"Kernel panic" in console.read()
