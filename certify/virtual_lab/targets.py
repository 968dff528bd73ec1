"""The systems that the virtual lab can put under test, by the name that `--target` takes.

How each is built is in `guest/targets/`. A family is a prefix, "saboteur:forgets-reservations":
what follows the colon is for the family to know. Other packages may add targets by an entry point
`zerostall.targets`: a module with TARGET, a VirtualTarget, and `builder()`, which returns a
`guest.targets.base.Builder`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from certify.extensions import TARGET_GROUP, module_of
from certify.saboteurs.catalogue import saboteur_named
from certify.virtual_lab.boot import BootError


@dataclass(frozen=True, slots=True)
class VirtualTarget:
    """A target by name, and what the report says of it."""

    name: str
    title: str
    note: str


TARGETS = {
    target.name: target
    for target in (
        VirtualTarget(
            "reference-router",
            "Zerostall reference router",
            "Two active engines, each watched by a supervisor that buries a dead one at once.",
        ),
        VirtualTarget(
            "reference-router-iscsi",
            "Zerostall reference router over iSCSI",
            "The same two engines behind LIO's iSCSI target, a portal each, and open-iscsi as the "
            "hosts' initiator, all over the guest's loopback device.",
        ),
        VirtualTarget(
            "unsupervised",
            "Reference router without its supervisor",
            "The same engines with the kernel's own TCMU settings: a dead engine is noticed when "
            "cmd_time_out (30 s) has passed. It shows what the supervisor is for.",
        ),
        VirtualTarget(
            "md-raid1",
            "LIO over MD RAID-1",
            "The kernel's own parts: a mirror by MD on both arrays, exported by LIO through two "
            "ports of the same kernel. No engine can fail by itself; a member that MD gave up is "
            "put back by an administrator's script that looks every second.",
        ),
        VirtualTarget(
            "lio-single",
            "LIO alone",
            "One port of LIO on a disk of array A: no second engine and no copy. It shows what "
            "redundancy is for.",
        ),
        VirtualTarget(
            "tcmu-runner",
            "tcmu-runner",
            "Debian's target in user space with one process on plain files (its handler qcow) and "
            "the kernel's own time-outs: no second engine and no copy.",
        ),
        VirtualTarget(
            "tcmu-runner-tuned",
            "tcmu-runner, tuned",
            "As tcmu-runner, but what a dead process held is failed after 2 s, and a dead process "
            "is started again at once.",
        ),
    )
}
DEFAULT_TARGET = "reference-router"


def _saboteur(name: str) -> VirtualTarget:
    try:
        return VirtualTarget(f"saboteur:{name}", f"Saboteur {name}", saboteur_named(name).what)
    except KeyError as error:
        raise BootError(str(error.args[0])) from error


FAMILIES: dict[str, Callable[[str], VirtualTarget]] = {"saboteur": _saboteur}
"""By prefix, what makes a target of the rest of its name; raises BootError for a wrong rest."""


def extra_target(name: str, module: ModuleType) -> VirtualTarget:
    """Return the target of another package's *module*; raise BootError if it describes none."""
    target = getattr(module, "TARGET", None)
    if not isinstance(target, VirtualTarget) or target.name != name:
        raise BootError(
            f"{module.__name__}: expected TARGET, a VirtualTarget named {name!r}; seen {target!r}"
        )
    if not callable(getattr(module, "builder", None)):
        raise BootError(
            f"{module.__name__}: expected builder(), which returns a Builder; none seen"
        )
    return target


def target_named(name: str) -> VirtualTarget:
    """Return the target *name*, ours or another package's.

    Raises BootError with the names there are if it is none, LabError if its package is broken.
    """
    family, colon, member = name.partition(":")
    if colon and family in FAMILIES:
        return FAMILIES[family](member)
    if name not in TARGETS and (module := module_of(TARGET_GROUP, name)) is not None:
        return extra_target(name, module)
    if name not in TARGETS:
        known = ", ".join([*TARGETS, *(f"{one}:NAME" for one in FAMILIES)])
        raise BootError(f"no target is called {name!r}; expected one of {known}")
    return TARGETS[name]
