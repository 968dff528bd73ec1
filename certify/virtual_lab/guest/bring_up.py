"""Bring the whole lab up inside the guest: from a bare kernel to its multipath maps."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import arrays, hidden, host, lab_file, lio, router, settings
from certify.virtual_lab.guest.targets import builder_of

MODULES = (
    *("target_core_mod", "target_core_user", "target_core_iblock", "tcm_loop", "uio"),
    *("scsi_mod", "sd_mod", "sg"),
    *("dm_mod", "dm_multipath", "dm_round_robin", "dm_service_time", "dm_delay"),
)

UDEV_RULES = {
    "50-udev-default.rules",
    "55-dm.rules",
    "56-dm-mpath.rules",
    "60-persistent-storage.rules",
    "60-persistent-storage-dm.rules",
    "95-dm-notify.rules",
}
UDEV_NICENESS = "10"
ARRAY_DISK_RULE = (
    'SUBSYSTEM=="block", ATTRS{vendor}=="ZSARRAY", '
    'ENV{UDEV_DISABLE_PERSISTENT_STORAGE_RULES_FLAG}="1"\n'
)
"""Disks of the arrays are found by their SCSI address; they need no links."""


class BringUpError(Exception):
    """The lab could not be brought up; the message is a sentence for its user."""


def bring_up(report: Callable[[str, float], None]) -> None:
    """Bring the lab up and write its lab.toml; *report* gets each step and its seconds.

    Raises BringUpError with the cause.
    """
    chosen = settings.load()
    layout.RUN.mkdir(parents=True)
    kernel_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    report("kernel, file systems, agent", kernel_s)
    with _step("kernel modules", report):
        builder = builder_of(chosen.target)
        _load_modules(builder.modules)
    with _step("udev and configfs", report):
        _start_udev()
    with _step("arrays A and B, control disk", report):
        arrays.create_ram_disks()
        disks = [arrays.create_array(name) for name in layout.ARRAYS]
        control = arrays.create_control_disk()
        lio.wait_for_disk(control)
    with _step(f"target: {chosen.target}", report):
        host.start_multipath(builder.multipath)
        built = builder.bring_up(chosen, disks)
    with _step("multipath maps", report):
        paths = sum(path.host == layout.HOST for path in built.paths)
        host.wait_for_maps([unit.wwid for unit in built.units], paths=paths)
    with _step("lab.toml", report):
        lab_file.write(chosen, built, control=lio.wwid(control))


@contextmanager
def _step(name: str, report: Callable[[str, float], None]) -> Iterator[None]:
    start = time.monotonic()
    try:
        yield
    except (lio.LioError, router.RouterError, host.HostError) as error:
        raise BringUpError(f"{name}: {error}") from error
    except subprocess.CalledProcessError as error:
        words = (error.stderr or "").strip() or f"exit status {error.returncode}"
        raise BringUpError(f"{name}: {' '.join(map(str, error.cmd))}: {words}") from error
    report(name, time.monotonic() - start)


def _load_modules(more: tuple[str, ...]) -> None:
    Path("/var/target/pr").mkdir(parents=True, exist_ok=True)  # LIO's reservations look for it
    done = subprocess.run(
        ["modprobe", "-a", *MODULES, *more],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise BringUpError(
            f"module missing: kernel {os.uname().release} lacks what the lab needs: "
            f"{done.stderr.strip()}"
        )


def _start_udev() -> None:
    _run("mount", "-t", "configfs", "configfs", "/sys/kernel/config")
    _run("ip", "link", "set", "lo", "up")
    _trim_udev_rules()
    # What it starts when a path comes or goes runs on another processor of a real host; a guest may
    # have one only, and it is busy then.
    _run("nice", "-n", UDEV_NICENESS, "/lib/systemd/systemd-udevd", "--daemon")


def _trim_udev_rules() -> None:
    """Switch off rules that run programs for every disk and that nothing here needs.

    In User Mode Linux a started program costs some 20 ms, and the stock rules start a dozen for
    each of the lab's disks: most of the time that the lab would take to come up.
    """
    own = Path("/etc/udev/rules.d")
    own.mkdir(parents=True, exist_ok=True)
    for rules in Path("/lib/udev/rules.d").glob("*.rules"):
        if rules.name not in UDEV_RULES:
            (own / rules.name).unlink(missing_ok=True)
            (own / rules.name).symlink_to("/dev/null")
    words = ARRAY_DISK_RULE + hidden.UDEV_RULE
    (own / "59-lab-disks.rules").write_text(words, encoding="ascii")


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30)
