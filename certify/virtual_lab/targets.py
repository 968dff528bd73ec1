"""The systems that the virtual lab can put under test, by the name that `--target` takes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VirtualTarget:
    """One way to run the reference router."""

    name: str
    title: str
    supervision: str  # the router's own switch
    note: str


TARGETS = {
    target.name: target
    for target in (
        VirtualTarget(
            "reference-router",
            "Zerostall reference router",
            "tombstone",
            "Two active engines, each watched by a supervisor that buries a dead one at once.",
        ),
        VirtualTarget(
            "unsupervised",
            "Reference router without its supervisor",
            "none",
            "The same engines with the kernel's own TCMU settings: a dead engine is noticed when "
            "cmd_time_out (30 s) has passed. It shows what the supervisor is for.",
        ),
    )
}
DEFAULT_TARGET = "reference-router"
