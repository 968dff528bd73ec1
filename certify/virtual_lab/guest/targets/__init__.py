"""The builders of the targets that the virtual lab can put under test, by their names."""

from collections.abc import Callable

from certify.extensions import TARGET_GROUP, module_of
from certify.virtual_lab.guest.lio import LioError
from certify.virtual_lab.guest.targets import (
    iscsi_router,
    peers,
    reference_router,
    runner,
    saboteur,
)
from certify.virtual_lab.guest.targets.base import Builder

BUILDERS: dict[str, Callable[[], Builder]] = {
    "reference-router": lambda: reference_router.builder("tombstone"),
    "reference-router-iscsi": iscsi_router.builder,
    "unsupervised": lambda: reference_router.builder("none"),
    "md-raid1": peers.md_raid1,
    "lio-single": peers.lio_single,
    "tcmu-runner": runner.defaults,
    "tcmu-runner-tuned": runner.tuned,
}
FAMILIES: dict[str, Callable[[str], Builder]] = {"saboteur": saboteur.builder}
"""By prefix, as in `certify.virtual_lab.targets.FAMILIES`."""


def builder_of(name: str) -> Builder:
    """Return how the target *name* is built; raise LioError when there is none of that name."""
    family, colon, member = name.partition(":")
    if colon and family in FAMILIES:
        return FAMILIES[family](member)
    if name not in BUILDERS and (module := module_of(TARGET_GROUP, name)) is not None:
        builder: Builder = module.builder()
        return builder
    if name not in BUILDERS:
        raise LioError(f"no builder of target {name!r}; expected one of {', '.join(BUILDERS)}")
    return BUILDERS[name]()
