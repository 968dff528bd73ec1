"""The builders of the targets that the virtual lab can put under test, by their names."""

from certify.virtual_lab.guest.lio import LioError
from certify.virtual_lab.guest.targets import reference_router
from certify.virtual_lab.guest.targets.base import Builder

BUILDERS = {
    "reference-router": lambda: reference_router.builder("tombstone"),
    "unsupervised": lambda: reference_router.builder("none"),
}


def builder_of(name: str) -> Builder:
    """Return how the target *name* is built; raise LioError when there is none of that name."""
    if name not in BUILDERS:
        raise LioError(f"no builder of target {name!r}; expected one of {', '.join(BUILDERS)}")
    return BUILDERS[name]()
