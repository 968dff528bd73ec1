"""Write lab.toml of the virtual lab: what an engineer writes by hand for a real one."""

from certify.virtual_lab import layout
from certify.virtual_lab.guest import router
from certify.virtual_lab.guest.arrays import ArrayDisks
from certify.virtual_lab.guest.lio import TARGET, LioError
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.targets import TARGETS

PATH = layout.RUN / "lab.toml"


def write(chosen: Settings, *, disks: list[ArrayDisks], control: str, maps: dict[str, str]) -> None:
    """Write the lab file from what was really found: addresses, WWIDs, commands."""
    # Questions are asked while stalls are measured, and to start a Python for one holds the only
    # processor of the guest for a quarter of a second. So the router's state files are read.
    redundant = ["grep", "-qx", "redundant=yes", router.state_file(layout.ENGINES[0])]
    blocks = [
        *_head(chosen),
        *(_logical_unit(unit, maps[unit.name]) for unit in layout.LOGICAL_UNITS),
        f'[control]\nwwid = "{control}"',
        *(_path(engine) for engine in layout.ENGINES),
        *(_engine(chosen, engine) for engine in layout.ENGINES),
        *(_array(array) for array in disks),
        f"[redundancy]\nargv = {_array_of(redundant)}",
    ]
    PATH.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _head(chosen: Settings) -> list[str]:
    target = TARGETS[chosen.target]
    logs = [
        f"{layout.RUN}/{engine}.{end}" for engine in layout.ENGINES for end in ("log", "console")
    ]
    return [
        f"schema = 1\ntarget_logs = {_array_of([*logs, f'{layout.RUN}/multipathd.log'])}",
        f'[lab]\nname = "virtual-single"\nkind = "virtual"\nkernel = "{chosen.kernel}"\n'
        f'target = "{target.name}"\ntopology = "single"\n'
        f"times_indicative = {str(chosen.kernel == 'tcg').lower()}",
        f'[system_under_test]\nname = "{target.title}"\nnote = "{target.note}"',
        f'[[host]]\nname = "{layout.HOST}"\nreach = "local"',
    ]


def _logical_unit(unit: layout.LogicalUnit, wwid: str) -> str:
    return (
        f'[[logical_unit]]\nname = "{unit.name}"\nwwid = "{wwid}"\npurpose = "{unit.purpose}"\n'
        f'host = "{layout.HOST}"'
    )


def _path(engine: str) -> str:
    return (
        f'[[path]]\nname = "{layout.HOST}-{engine}"\nhost = "{layout.HOST}"\n'
        f'engine = "{engine}"\nhctl = "{_port_address(engine)}:*"'
    )


def _port_address(engine: str) -> str:
    """Return the SCSI address of the engine's port, found by the backstores that it exports."""
    backstores = f"user_{layout.engine_hba(engine)}"
    for port in TARGET.glob("loopback/*/tpgt_1/lun/lun_*/*"):
        if port.is_symlink() and port.resolve().parent.name == backstores:
            return (port.parents[2] / "address").read_text(encoding="ascii").strip()
    raise LioError(f"{engine} exports nothing: no loopback LUN on {backstores}")


def _engine(chosen: Settings, engine: str) -> str:
    state = router.state_file(engine)
    commands = {
        "pid": ["sed", "-n", "s/^pid=//p", state],
        "start": router.argv(chosen, "start", engine),
        "ready": ["grep", "-qx", "ready=yes", state],
    }
    lines = "\n".join(f"{verb} = {{ argv = {_array_of(argv)} }}" for verb, argv in commands.items())
    return f'[[engine]]\nname = "{engine}"\n{lines}'


def _array(disks: ArrayDisks) -> str:
    hctl = [
        address
        for (initiator, _), address in sorted(disks.hctl.items())
        if initiator in layout.ENGINES
    ]
    legs = "\n".join(
        f'[[array.leg]]\nlogical_unit = "{unit.name}"\ninspect_wwid = "{disks.wwid[unit.name]}"\n'
        f'slow_device = "{layout.slow_device(disks.name, unit.name)}"'
        for unit in layout.LOGICAL_UNITS
    )
    return f'[[array]]\nname = "{disks.name}"\nhctl = {_array_of(hctl)}\n{legs}'


def _array_of(items: list[str]) -> str:
    return (
        "["
        + ", ".join('"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
        + "]"
    )
