"""Whether a lab is whole: every path, engine and array as it should be before a fault.

Each check returns one line per problem, which names the thing, what was expected and seen.
"""

import fnmatch
from collections.abc import Callable
from itertools import product

from certify import cdb, sg
from certify.devices import LabDevices, PathDevice, resolve_found
from certify.hosts import load_of, remote_hosts
from certify.inquiry import DecodeError, Page, decode_designators, unit_wwids
from certify.lab import Command, Engine, Lab, LabError
from certify.multipath import Daemon, daemon_for, read_maps
from certify.scsi import Completion, SenseKey
from fault_injectors import FaultError, Shell, shell_for
from fault_injectors.shell import UNREACHABLE

TIMEOUT_MS = 5000
UNIT_ATTENTIONS_MAX = 8
"""Pending unit attentions that are read away before a path is judged."""
SYSFS_SCSI = "/sys/class/scsi_device"

Shells = Callable[[str], Shell]


def problems_of(lab: Lab, *, shells: Shells = shell_for, daemon: Daemon | None = None) -> list[str]:
    """Return everything that is not whole, one line each, [] for a healthy lab. Changes nothing."""
    problems: list[str] = []
    devices = resolve_found(lab, problems)
    for device in devices.all_paths:
        problems += path_problems(device)
    problems += map_problems(devices, daemon or daemon_for(shells(lab.host[0].reach)))
    for engine in lab.engine:
        problems += engine_problems(engine, shells)
    problems += array_problems(lab, shells)
    problems += other_map_problems(lab, shells)
    problems += redundancy_problems(lab, shells)
    return problems


def path_problems(device: PathDevice) -> list[str]:
    """Ask one path whether it is ready and who it is."""
    where = f"path {device.path}, {device.unit.name} ({device.disk.sg_device})"
    try:
        with sg.opened(device.disk.sg_device) as descriptor:
            ready = settle(descriptor)
            if not ready.is_good:
                return [f"{where}: TEST UNIT READY: expected GOOD, seen {ready}"]
            page = sg.execute(
                descriptor,
                cdb.inquiry(1024, page=Page.DESIGNATORS),
                data_in_length=1024,
                timeout_ms=TIMEOUT_MS,
            )
    except OSError as error:
        return [f"{where}: {error.strerror}"]
    if not page.is_good:
        return [f"{where}: INQUIRY page 83h: expected GOOD, seen {page}"]
    try:
        seen = unit_wwids(decode_designators(page.data))
    except DecodeError as error:
        return [f"{where}: {error}"]
    if device.unit.wwid not in seen:
        return [f"{where}: expected {device.unit.wwid}, it says {', '.join(seen) or 'nothing'}"]
    return []


def settle(descriptor: int) -> Completion:
    """Send TEST UNIT READY until no unit attention is pending; return the last answer."""
    for _ in range(UNIT_ATTENTIONS_MAX):
        completion = sg.execute(descriptor, cdb.test_unit_ready(), timeout_ms=TIMEOUT_MS)
        sense = completion.sense
        if sense is None or sense.key != SenseKey.UNIT_ATTENTION:
            break
    return completion


def map_problems(devices: LabDevices, daemon: Daemon) -> list[str]:
    """Compare multipathd's maps with the paths of the lab."""
    try:
        maps = {one.wwid: one for one in read_maps(daemon)}
    except LabError as error:
        return [str(error)]
    problems: list[str] = []
    for device in devices.maps:
        if (one := maps.get(device.unit.wwid)) is None:
            problems.append(f"multipathd knows no map of {device.unit.name} ({device.unit.wwid})")
            continue
        wanted = {path.disk.sd: path for path in devices.of_unit(device.unit.name)}
        seen = {path.device: path for path in one.paths}
        for sd, lab_path in wanted.items():
            path = seen.get(sd)
            state = f"{path.dm_state}, {path.checker_state}" if path else "not in the map"
            if path is None or not path.is_usable:
                problems.append(
                    f"path {lab_path.path}, {device.unit.name} ({sd}): "
                    f"expected active and ready in multipathd, seen {state}"
                )
        problems += [
            f"map {one.name}: {sd} is a path that the lab file does not name"
            for sd in sorted(set(seen) - set(wanted))
        ]
    return problems


def other_map_problems(lab: Lab, shells: Shells) -> list[str]:
    """Ask each host that is a machine of its own whether its paths to the load's unit are usable.

    Which paths it has, it knows itself: the lab file need not name them.
    """
    problems: list[str] = []
    for host, unit in product(remote_hosts(lab), load_of(lab)):
        where = f"host {host.name}, {unit.name}"
        try:
            maps = {one.wwid: one for one in read_maps(daemon_for(shells(host.reach)))}
        except (LabError, FaultError) as error:
            problems.append(f"{where}: {error}")
            continue
        own = maps.get(unit.wwid)
        if own is None or not own.paths:
            problems.append(f"{where}: expected a map of {unit.wwid} with paths, seen none")
            continue
        problems += [
            f"{where} ({path.device}): expected active and ready in multipathd, "
            f"seen {path.dm_state}, {path.checker_state}"
            for path in own.paths
            if not path.is_usable
        ]
    return problems


def engine_problems(engine: Engine, shells: Shells) -> list[str]:
    """Ask one engine whether it serves, where the lab file says how."""
    if engine.ready is None:
        return []
    what = f"engine {engine.name} is not ready"
    problems = _command_problems(what, engine.ready, engine.reach, shells)
    if problems and _has_no_process(engine, shells):
        problems = [f"{what}: its process has ended; its log says why"]
    return problems


def redundancy_problems(lab: Lab, shells: Shells) -> list[str]:
    """Ask the system under test whether it is redundant, where the lab file says how."""
    if lab.redundancy is None:
        return []
    return _command_problems("not redundant", lab.redundancy, lab.host[0].reach, shells)


def array_problems(lab: Lab, shells: Shells) -> list[str]:
    """Look whether every back path of every array is running."""
    problems: list[str] = []
    for array in lab.array:
        try:
            shell = shells(array.reach)
            present = [entry.rpartition("/")[2] for entry in shell.glob(f"{SYSFS_SCSI}/*")]
            for pattern in array.hctl:
                found = fnmatch.filter(present, pattern)
                if not found:
                    problems.append(f"array {array.name}: no SCSI device matches {pattern}")
                for hctl in found:
                    state = shell.read_text(f"{SYSFS_SCSI}/{hctl}/device/state").strip()
                    if state != "running":
                        problems.append(
                            f"array {array.name}, {hctl}: expected running, seen {state}"
                        )
        except FaultError as error:
            problems.append(f"array {array.name}: {error}")
    return problems


def _has_no_process(engine: Engine, shells: Shells) -> bool:
    """Tell whether an engine that prints its process id has none: then it cannot become ready."""
    if engine.pid is None:
        return False
    try:
        seen = shells(engine.reach).run(engine.pid.argv, timeout_s=engine.pid.timeout_s)
    except FaultError as error:
        return UNREACHABLE not in str(error)
    return not seen.stdout.strip()


def _command_problems(what: str, command: Command, reach: str, shells: Shells) -> list[str]:
    try:
        shells(reach).run(command.argv, timeout_s=command.timeout_s)
    except FaultError as error:
        return [f"{what}: {error}"]
    return []
