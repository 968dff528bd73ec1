"""QEMU with Debian's own cloud-less kernel: by KVM where it works, by emulation anywhere."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from certify.virtual_lab import linux_image
from certify.virtual_lab.boot import Boot, BootError, need

PORT_NAME = "zerostall"


class Qemu:
    """What KVM and TCG have in common."""

    name: ClassVar[str] = ""
    accelerator: ClassVar[list[str]] = []
    one_processor: ClassVar[bool] = False  # several, and they run side by side
    wake_interval_s: ClassVar[float] = 0.0
    share_filesystem: ClassVar[str] = "9p"
    agent_port: ClassVar[str] = f"virtio:{PORT_NAME}"
    first_word_timeout_s: ClassVar[float] = 60.0
    ready_timeout_s: ClassVar[float] = 120.0

    def prepare(self, report: Callable[[str], None]) -> None:
        """Check QEMU; fetch and unpack the kernel package into the project's cache."""
        need("qemu-system-x86_64", package="qemu-system-x86")
        linux_image.prepare(report)

    def modules(self) -> Path:
        """Return the unpacked package's module folder."""
        return linux_image.folder() / "lib/modules"

    def command(self, boot: Boot) -> list[str]:
        """Return QEMU's command line: no network, no display, no disk; two 9p shares, one port.

        Raises BootError for a guest that is to have a network or a disk.
        """
        if boot.interfaces or boot.disks:
            raise BootError(
                f"kernel {self.name}: a guest with a network or a disk is expected to be uml's; "
                f"seen {len(boot.interfaces)} interfaces, {len(boot.disks)} disks"
            )
        return [
            need("qemu-system-x86_64", package="qemu-system-x86"),
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-machine", "q35", *self.accelerator),
            *("-smp", str(min(os.cpu_count() or 1, 4)), "-m", f"{boot.memory_mib}M"),
            *("-kernel", str(linux_image.vmlinux()), "-initrd", str(linux_image.initramfs())),
            "-append",
            "console=ttyS0 loglevel=5 panic=-1 tsc=reliable no_timer_check "
            f"mitigations=off ZS_INIT={boot.folder}/init.sh",
            *("-chardev", f"file,id=console,path=/dev/fd/{boot.console_fd}"),
            *("-serial", "chardev:console"),
            *("-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,fd={boot.agent_fd}"),
            *("-device", f"virtserialport,chardev=agent,name={PORT_NAME}"),
            *_share("root", Path("/"), "readonly=on,"),
            *_share("share", boot.share, ""),
        ]

    def environment(self) -> dict[str, str]:
        """QEMU needs nothing beside our own environment."""
        return {}

    def settle(self, pid: int, memory_mib: int) -> None:
        """Nothing is done: its first touch of memory was not found to disturb a measurement."""

    def wake(self, pid: int) -> None:
        """Nothing is done: a virtual timer does not get lost."""


class Kvm(Qemu):
    """QEMU with the processor's own virtualisation."""

    name: ClassVar[str] = "kvm"
    accelerator: ClassVar[list[str]] = ["-accel", "kvm", "-cpu", "host"]
    first_word_timeout_s: ClassVar[float] = 20.0
    ready_timeout_s: ClassVar[float] = 60.0


class Tcg(Qemu):
    """QEMU's emulation: slow, but it works wherever QEMU does."""

    name: ClassVar[str] = "tcg"
    accelerator: ClassVar[list[str]] = ["-accel", "tcg,thread=multi", "-cpu", "max"]
    first_word_timeout_s: ClassVar[float] = 120.0
    ready_timeout_s: ClassVar[float] = 300.0


def _share(tag: str, path: Path, options: str) -> list[str]:
    escaped = str(path).replace(",", ",,")  # QEMU's option parser splits at single commas
    return [
        "-fsdev",
        f"local,id={tag},path={escaped},{options}security_model=none,multidevs=remap",
        "-device",
        f"virtio-9p-pci,fsdev={tag},mount_tag={tag}",
    ]
