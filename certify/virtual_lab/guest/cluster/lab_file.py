"""Write lab.toml of a cluster on its first host: what an engineer writes for a real one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from certify.lab import (
    SCHEMA,
    Array,
    Back,
    Command,
    Control,
    Engine,
    General,
    Host,
    Lab,
    Leg,
    Link,
    LogicalUnit,
    Means,
    PathEntry,
    Target,
)
from certify.virtual_lab import layout
from certify.virtual_lab.cluster.plan import ARRAYS, ENGINES, Plan
from certify.virtual_lab.guest import outside, purge, router
from certify.virtual_lab.guest.cluster import engine as engine_node
from certify.virtual_lab.guest.cluster import network, witness
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets.reference_router import ATTACH_S, engine_of
from certify.virtual_lab.targets import target_named

if TYPE_CHECKING:
    from certify.virtual_lab.guest.cluster.host import Found

PATH = layout.RUN / "lab.toml"
UPSET = Path(__file__).with_name("upset.sh")
SWITCH_S = 20.0
BOOT_S = 90.0


def write(chosen: Settings, plan: Plan, found: "Found") -> None:
    """Write the lab file from what was really found."""
    PATH.write_bytes(msgspec.toml.encode(lab_of(chosen, plan, found)))


def lab_of(chosen: Settings, plan: Plan, found: "Found") -> Lab:
    """Return the lab file of a cluster that is up."""
    target = target_named(chosen.target)
    host = plan.hosts[0]
    settle = Command(argv=[chosen.python, "-I", "-S", purge.__file__])
    return Lab(
        schema=SCHEMA,
        target_logs=[f"{layout.RUN}/multipathd.log"],
        lab=General(
            name="virtual-cluster",
            kind="virtual",
            kernel=chosen.kernel,
            target=target.name,
            topology="cluster",
        ),
        system_under_test=Target(name=f"{target.title} over iSCSI", note=target.note),
        host=[
            Host(name=name, settle=settle)
            if name == host
            else Host(
                name=name,
                reach=reach(name),
                python=[*network.OURS, chosen.python],
                settle=settle,
            )
            for name in plan.hosts
        ],
        logical_unit=[
            LogicalUnit(
                name=unit.name,
                wwid=f"3{unit.naa}",
                size_bytes=unit.size_bytes,
                purpose=unit.purpose,
                host=host,
                also_on=list(plan.hosts[1:]) if unit.purpose == "load" else [],
            )
            for unit in layout.LOGICAL_UNITS
        ],
        control=Control(wwid=found.control_wwid, host=host),
        path=[
            PathEntry(
                name=f"{host}-{engine}-{fabric}", host=host, engine=engine, hctl=f"{address}:*"
            )
            for (engine, fabric), address in found.paths.items()
        ],
        engine=[_engine(chosen, name) for name in ENGINES],
        array=[_array(chosen, name, found) for name in ARRAYS],
        link=_link(),
        redundancy=_redundancy(),
        means=[*_means(plan), _clock(ENGINES[0]), _full_disk(ENGINES[0]), _witness(chosen, plan)],
    )


def reach(node: str) -> str:
    """Return how the suite reaches a node."""
    return f"ssh:root@{node}"


def _engine(chosen: Settings, name: str) -> Engine:
    logs = [f"{layout.RUN}/{name}.{end}" for end in ("console", "log")]
    engine = engine_of(chosen, name, engine_node.command, reach(name))
    return msgspec.structs.replace(engine, log=Command(argv=["cat", *logs]))


def _array(chosen: Settings, name: str, found: "Found") -> Array:
    """Return an array; what an operator does with it is done at an engine, from there."""
    words = ("--array", name, "--timeout", str(ATTACH_S))
    at_engine = ["ssh", f"root@{ENGINES[0]}"]
    detach, attach = (
        Command(
            argv=[*at_engine, *engine_node.command(chosen, verb, ENGINES[0], *words)],
            timeout_s=2.0 * ATTACH_S,
        )
        for verb in ("detach", "attach")
    )
    return Array(
        name=name,
        reach=reach(ARRAYS[name]),
        back=_back(ARRAYS[name]),
        leg=[
            Leg(
                logical_unit=unit.name,
                inspect_wwid=found.leg_wwids[name, unit.name],
                slow_device=layout.slow_device(name, unit.name),
            )
            for unit in layout.LOGICAL_UNITS
        ],
        detach=detach,
        attach=attach,
    )


def _back(node: str) -> Back:
    ports = (f"{node}:a", f"{node}:b")
    return Back(
        cut=_outside("cable", "cut", *ports),
        mend=_outside("cable", "mend", *ports),
        is_cut=_outside("cable", "is_cut", *ports),
        is_whole=_outside("cable", "is_whole", *ports),
    )


def _redundancy() -> Command:
    """Ask both engines: one that is gone, or that has lost the other, is not redundant."""
    words = (
        f"ssh root@{engine} grep -qx redundant=yes {router.state_file(engine)}"
        for engine in ENGINES
    )
    return Command(argv=["sh", "-c", " && ".join(words)])


def _outside(*words: str, timeout_s: float = SWITCH_S) -> Command:
    argv = [sys.executable, "-I", "-S", outside.__file__, *words]
    return Command(argv=argv, timeout_s=timeout_s)


def _link() -> Link:
    ports = [f"{ENGINES[0]}:link"]
    return Link(
        cut=_outside("cable", "cut", *ports),
        mend=_outside("cable", "mend", *ports),
        is_cut=_outside("cable", "is_cut", *ports),
    )


def _cables(scenario: str, subject: str, *ports: str, verb: str = "cut") -> Means:
    return Means(
        scenario=scenario,
        subject=subject,
        apply=_outside("cable", verb, *ports),
        probe=_outside("cable", f"is_{verb}", *ports),
        heal=_outside("cable", "mend", *ports),
        healed=_outside("cable", "is_whole", *ports),
    )


def _power(plan: Plan, scenario: str, subject: str, *nodes: str, apply: str = "cut") -> Means:
    return Means(
        scenario=scenario,
        subject=subject,
        hosts=[node for node in nodes if node in plan.hosts],
        apply=_outside("power", apply, *nodes),
        probe=_outside("power", "is_off", *nodes),
        heal=_outside("power", "on", *nodes, timeout_s=BOOT_S),
        healed=_outside("power", "is_ready", *nodes),
    )


def _upset(verb: str, what: str) -> Command:
    return Command(argv=["sh", str(UPSET), verb, what], timeout_s=SWITCH_S)


def _clock(node: str) -> Means:
    return Means(
        scenario="E9",
        subject=f"clock of {node}",
        apply=_upset("clock_step", node),
        probe=_upset("clock_is_wrong", node),
        heal=_upset("clock_set", node),
        healed=_upset("clock_is_right", node),
    )


def _full_disk(node: str) -> Means:
    folder = str(layout.RUN)
    return Means(
        scenario="E10",
        subject=f"{folder} of {node}",
        reach=reach(node),
        apply=_upset("disk_fill", folder),
        probe=_upset("disk_is_full", folder),
        heal=_upset("disk_empty", folder),
    )


def _witness(chosen: Settings, plan: Plan) -> Means:
    """Return how the witness is lost: its process, on the host that it runs on."""
    where = plan.witness_host
    return Means(
        scenario="L4",
        subject="witness",
        reach="local" if where == plan.hosts[0] else reach(where),
        apply=Command(argv=witness.argv("kill")),
        probe=Command(argv=witness.argv("is_gone")),
        heal=Command(argv=witness.start_argv(chosen)),
        healed=Command(argv=witness.argv("is_there")),
    )


def _means(plan: Plan) -> list[Means]:
    """Return what this lab can do that takes gear: switches of cables and of power."""
    first, second = ENGINES
    near, far = ARRAYS.values()
    host = plan.hosts[0]
    site = [first, near, *plan.hosts[1:2]]
    return [
        _cables("P2", f"cable of {host} to fabric a", f"{host}:a"),
        _cables("P5", f"cable of {host} to fabric a", f"{host}:a", verb="spoil"),
        _power(plan, "E3", first, first),
        _power(plan, "E4", first, first, apply="panic"),
        _cables(
            "L2", "link, and a fabric of each engine", f"{first}:link", f"{first}:b", f"{second}:a"
        ),
        _cables("L3", f"link, from {second} to {first}", f"{second}:link:from_node"),
        _power(plan, "D4", " and ".join(site), *site),
        _power(plan, "D5", "engines and arrays", first, second, near, far),
    ]
