"""Preflight: is the lab whole, what is in it, and which settings bound a stall. Changes nothing."""

from dataclasses import dataclass
from pathlib import Path

from certify import cdb, sg
from certify.devices import SYSFS, LabDevices, find_inspection_disk, resolve_found
from certify.health import TIMEOUT_MS, Shells, problems_of
from certify.host_settings import settings_of, versions_of
from certify.hosts import fleet, load_of, remote_hosts
from certify.inquiry import (
    DecodeError,
    Page,
    StandardInquiry,
    decode_serial,
    decode_standard,
)
from certify.lab import Lab, LabError
from certify.multipath import Daemon, daemon_for
from certify.safety import refusals, sizes
from fault_injectors import shell_for
from reports.record import (
    LabRecord,
    LogicalUnitRecord,
    PathRecord,
    Setting,
    SystemUnderTest,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What preflight found. `problems` are one line each; [] means: ready to be broken."""

    problems: list[str]
    lab: LabRecord
    system_under_test: SystemUnderTest
    host_timers: list[Setting]
    versions: dict[str, str]


def preflight(lab: Lab, *, shells: Shells = shell_for, daemon: Daemon | None = None) -> Preflight:
    """Look at everything the lab file names, and ask it who it is.

    Takes as long as the slowest path or engine needs to answer; every question is bounded.
    """
    host = shells(lab.host[0].reach)
    daemon = daemon or daemon_for(host)
    devices = resolve_found(lab, [])
    problems = problems_of(lab, shells=shells, daemon=daemon)
    problems += inspection_problems(lab)
    problems += sizes(devices)
    for device in devices.maps:
        problems += refusals(device)
        if not problems and device.unit in load_of(lab) and remote_hosts(lab):
            problems += fleet.problems_of(lab, device.size_bytes)
    return Preflight(
        problems=problems,
        lab=lab_record(lab, devices),
        system_under_test=system_under_test(lab, devices),
        host_timers=settings_of(devices, daemon),
        versions=versions_of(host),
    )


def inspection_problems(lab: Lab, *, sysfs: Path = SYSFS) -> list[str]:
    """Return a line per leg that the file names a disk for, and that has none on this host."""
    problems: list[str] = []
    for array in lab.array:
        for leg in array.leg:
            if leg.inspect_wwid:
                try:
                    find_inspection_disk(array, leg, sysfs=sysfs)
                except LabError as error:
                    problems.append(str(error))
    return problems


def lab_record(lab: Lab, devices: LabDevices) -> LabRecord:
    """Return the lab as it was found."""
    return LabRecord(
        name=lab.lab.name,
        kind=lab.lab.kind,
        kernel=lab.lab.kernel,
        target=lab.lab.target,
        topology=lab.lab.topology,
        hosts=[host.name for host in lab.host],
        engines=[engine.name for engine in lab.engine],
        arrays=[array.name for array in lab.array],
        logical_units=_units(lab, devices),
        paths=[
            PathRecord(
                name=device.path,
                host=device.host,
                engine=device.engine,
                logical_unit=device.unit.name,
                hctl=device.disk.hctl,
                device=device.disk.sd_device,
            )
            for device in devices.all_paths
        ],
    )


def _units(lab: Lab, devices: LabDevices) -> list[LogicalUnitRecord]:
    """Return the logical units and the control disk; one that was not found has size 0."""
    units = []
    for unit in lab.logical_unit:
        disk = next((device.disk for device in devices.of_unit(unit.name)), None)
        units.append(
            LogicalUnitRecord(
                name=unit.name,
                wwid=unit.wwid,
                size_bytes=disk.size_bytes if disk else 0,
                block_bytes=disk.block_bytes if disk else 0,
                purpose=unit.purpose,
            )
        )
    if lab.control is not None:
        control = devices.control
        units.append(
            LogicalUnitRecord(
                name="control",
                wwid=lab.control.wwid,
                size_bytes=control.size_bytes if control else 0,
                block_bytes=control.block_bytes if control else 0,
                purpose="control",
            )
        )
    return units


def system_under_test(lab: Lab, devices: LabDevices) -> SystemUnderTest:
    """Return how the system under test identifies itself, "" where it does not answer."""
    identity: StandardInquiry | None = None
    serials: list[str] = []
    for unit in lab.logical_unit:
        for device in devices.of_unit(unit.name):
            answer, serial = _identify(device.disk.sg_device)
            identity = identity or answer
            if serial and serial not in serials:
                serials.append(serial)
    return SystemUnderTest(
        name=lab.system_under_test.name,
        vendor=identity.vendor if identity else "",
        product=identity.product if identity else "",
        revision=identity.revision if identity else "",
        serials=serials,
        note=lab.system_under_test.note,
    )


def _identify(sg_device: str) -> tuple[StandardInquiry | None, str]:
    """Return the INQUIRY data and the unit serial number of a path, as far as it answers."""
    try:
        with sg.opened(sg_device) as descriptor:
            standard = _data_in(descriptor, cdb.inquiry(96), 96)
            serial = _data_in(descriptor, cdb.inquiry(255, page=Page.SERIAL), 255)
    except OSError:
        return None, ""
    try:
        return decode_standard(standard), decode_serial(serial)
    except DecodeError:
        return None, ""


def _data_in(descriptor: int, command: bytes, length: int) -> bytes:
    return sg.execute(descriptor, command, data_in_length=length, timeout_ms=TIMEOUT_MS).data
