"""Bring the whole lab up inside the guest: from a bare kernel to its multipath maps."""

from pathlib import Path

from certify.virtual_lab import layout
from certify.virtual_lab.guest import arrays, host, lab_file, lio
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.steps import (
    Report,
    load_modules,
    mount_configfs,
    run,
    start_udev,
    step,
)
from certify.virtual_lab.guest.targets import builder_of

MODULES = (
    *("target_core_mod", "target_core_user", "target_core_iblock", "tcm_loop", "uio"),
    *("scsi_mod", "sd_mod", "sg"),
    *("dm_mod", "dm_multipath", "dm_round_robin", "dm_service_time", "dm_delay"),
)


def bring_up(chosen: Settings, report: Report) -> None:
    """Bring the lab up and write its lab.toml; *report* gets each step and its seconds.

    Raises BringUpError with the cause.
    """
    layout.RUN.mkdir(parents=True)
    kernel_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    report("kernel, file systems, agent", kernel_s)
    with step("kernel modules", report):
        builder = builder_of(chosen.target)
        load_modules((*MODULES, *builder.modules))
    with step("udev and configfs", report):
        mount_configfs()
        run("ip", "link", "set", "lo", "up")
        start_udev()
    with step("arrays A and B, control disk", report):
        arrays.create_ram_disks()
        disks = [arrays.create_array(name) for name in layout.ARRAYS]
        control = arrays.create_control_disk()
        lio.wait_for_disk(control)
    with step(f"target: {chosen.target}", report):
        host.start_multipath(builder.multipath)
        built = builder.bring_up(chosen, disks)
    with step("multipath maps", report):
        paths = sum(path.host == layout.HOST for path in built.paths)
        host.wait_for_maps([unit.wwid for unit in built.units], paths=paths)
    with step("lab.toml", report):
        lab_file.write(chosen, built, control=lio.wwid(control))
