"""What the host tells the guest about the lab that it is to bring up."""

import os
from pathlib import Path

import msgspec


class Membership(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which node of which cluster a guest is."""

    node: str
    hosts: int  # of the cluster
    cluster: str  # its folder on the host
    again: bool = False  # its power was cut: what is on its disk is from before


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Written by the keeper beside the guest's init script; read once in the guest."""

    kernel: str  # "kvm", "uml" or "tcg"
    target: str  # a name of certify.virtual_lab.targets.TARGETS
    python: str  # the interpreter that has the suite's packages
    share: str  # the host folder that the guest may write to
    membership: Membership | None = None  # None: the whole lab is one guest


def load() -> Settings:
    """Read the settings that init.sh names in the environment."""
    return msgspec.json.decode(Path(os.environ["ZS_SETTINGS"]).read_bytes(), type=Settings)
