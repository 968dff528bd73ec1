"""The systems that the virtual lab can put under test, by the name that `--target` takes.

How each is built is in `guest/targets/`.
"""

from dataclasses import dataclass

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
            "unsupervised",
            "Reference router without its supervisor",
            "The same engines with the kernel's own TCMU settings: a dead engine is noticed when "
            "cmd_time_out (30 s) has passed. It shows what the supervisor is for.",
        ),
    )
}
DEFAULT_TARGET = "reference-router"


def target_named(name: str) -> VirtualTarget:
    """Return the target *name*; raise BootError with the names there are if it is none."""
    if name not in TARGETS:
        raise BootError(f"no target is called {name!r}; expected one of {', '.join(TARGETS)}")
    return TARGETS[name]
