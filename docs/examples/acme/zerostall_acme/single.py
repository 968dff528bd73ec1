"""The target: `certify run --target acme-single` puts LIO alone under test, under Acme's name.

A target of your own builds its ports in `bring_up` and returns what the lab file is to say of
them; `certify/virtual_lab/guest/targets/peers.py` is a short example.
"""

from typing import TYPE_CHECKING

from certify.virtual_lab.targets import VirtualTarget

if TYPE_CHECKING:
    from certify.virtual_lab.guest.targets.base import Builder

TARGET = VirtualTarget(
    name="acme-single",
    title="Acme entry model",
    note="One controller and one array: no redundancy, for comparison.",
)


def builder() -> "Builder":
    """Return how it is built; imported here, for only a guest has what it needs."""
    from certify.virtual_lab.guest.targets import peers

    return peers.lio_single()
